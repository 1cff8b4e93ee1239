"""The users: they send requests at random times and count the responses."""
