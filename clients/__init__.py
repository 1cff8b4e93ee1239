"""Thin adapters, the only importers of the vendors' libraries. They translate a vendor's error once."""
