"""The users: requests at random times, and what became of each, counted on their side."""
