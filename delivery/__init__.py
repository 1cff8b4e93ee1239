"""Decides, and does no IO: values in, values out."""
