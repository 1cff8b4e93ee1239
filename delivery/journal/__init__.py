"""What the object store holds of an environment: step names, notices, and the lock."""
