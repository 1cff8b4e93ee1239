"""Rolling back a failed release, rolling back to a revision, and recovering an orphaned release."""
