"""The Rollout, the Ingress and the listener rules: read, and changed by one canary step at a time."""
