"""The Rollout, the Ingress and the listener rules: read, and changed step by step."""
