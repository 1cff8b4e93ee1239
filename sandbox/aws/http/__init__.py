"""HTTP requests to AWS: which service and operation they call, and operations of REST services."""
