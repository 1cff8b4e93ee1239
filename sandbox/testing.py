"""A pytest plugin for tests that need a sandbox: the fixture, and waiting for a condition instead of for a time."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings

Value = TypeVar("Value")

# Seconds that any condition is waited for which comes unless something is wrong, on a machine however busy.
PATIENCE = 150
SECONDS_BETWEEN_LOOKS = 0.05


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox per pytest worker, with no part running: a test says `sandbox.require("kafka", "aws")` first.

    What runs already is shared with the tests before, so a test keeps to names of its own.
    """
    settings = SandboxSettings(time_factor=20.0, metric_period_seconds=2)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), parts=(), settings=settings) as instance:
        yield instance


def eventually(look: Callable[[], Value | None], what: str = "the condition", *, seconds: float = PATIENCE) -> Value:
    """The first true value that `look` returns; AssertionError, with the last one, where none came in time."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"{what} did not come in {seconds:g} s; last seen: {value!r}"
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return value
