"""Parses, checks and evaluates templates."""
