"""The API server. Imports point one way: serving > storage > validation > objects."""
