"""An Argo Rollout: its manifests, a snapshot of it with its pods, and its weights."""
