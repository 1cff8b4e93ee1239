"""Objects in memory with their history, the registry that writes them, patch formats and field ownership."""
