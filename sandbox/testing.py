"""A pytest plugin: the fixture `sandbox`, and `eventually`, which waits for a condition."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings

Value = TypeVar("Value")

# The time limit in seconds for a condition that becomes true unless something is wrong, also on a busy machine.
PATIENCE = 150
SECONDS_BETWEEN_READS = 0.05


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox per pytest worker. A test first starts the parts that it needs: `sandbox.require("kafka", "aws")`.

    A part that runs is shared with the other tests, so each test uses its own names.
    """
    settings = SandboxSettings(time_factor=20.0, metric_period_seconds=2)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), parts=(), settings=settings) as instance:
        yield instance


def eventually(read: Callable[[], Value | None], what: str = "the condition", *, seconds: float = PATIENCE) -> Value:
    """The first true value that `read` returns. AssertionError with the last value if none came in time."""
    deadline = time.monotonic() + seconds
    while not (value := read()):
        assert time.monotonic() < deadline, f"{what} did not become true within {seconds:g} s. Last value: {value!r}"
        time.sleep(SECONDS_BETWEEN_READS)
    return value
