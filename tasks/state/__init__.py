"""Journal, lock and notices in the object store."""
