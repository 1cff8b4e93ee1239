"""Faults that can be injected into the AWS of the sandbox."""
