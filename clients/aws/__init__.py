"""Clients of AWS with boto3: one session for all, and one module per service."""
