"""An Argo Rollout: its manifests, one snapshot of it with its pods, and its weights."""
