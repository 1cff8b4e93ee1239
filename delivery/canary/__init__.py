"""Judging a canary: counts, evidence, verdict, and the simulation of all three."""
