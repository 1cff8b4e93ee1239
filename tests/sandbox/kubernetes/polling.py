"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], what: str, timeout: float = 30.0) -> T:
    """The first true value that `look` returns; fails with `what` and the last value when there was none in time."""
    ends, seen = time.monotonic() + timeout, None
    while time.monotonic() < ends:
        if seen := look():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come in {timeout:g} s; last seen: {seen!r}")
