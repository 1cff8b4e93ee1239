"""Rolling back: which revisions served, what a rollback restores, and orphaned releases."""
