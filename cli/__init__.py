"""Arguments in, a flow or a client called, what it says printed, an exit code out."""
