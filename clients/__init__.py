"""Thin adapters around the libraries of other systems, which only they import. They translate all errors."""
