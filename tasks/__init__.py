"""Tasks, in one file or folder per system or concern. A task reads, changes what differs, and reads back the result."""
