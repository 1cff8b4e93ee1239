"""The guide's sections as Prefect flows. Composition only: no types, no IO, no decisions."""
