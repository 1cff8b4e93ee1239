"""One file per system touched. Every task looks, changes only what differs, and reports what it read back."""
