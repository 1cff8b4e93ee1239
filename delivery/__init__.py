"""Decisions, without IO: functions of values that return values."""
