"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

# Seconds that any condition is waited for which comes unless something is wrong, on a machine however busy.
PATIENCE = 150
SECONDS_BETWEEN_LOOKS = 0.05


def eventually(look: Callable[[], Value | None], what: str = "the condition", *, seconds: float = PATIENCE) -> Value:
    """The first true value that `look` returns; AssertionError, with the last one, where none came in time."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"{what} did not come in {seconds:g} s; last seen: {value!r}"
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return value
