"""Journal, lock and notifications in the object store."""
