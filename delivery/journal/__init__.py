"""What the object store has about an environment: lock, notifications, step names, and names of earlier versions."""
