"""What reads of the MSK topic API return while they lag behind writes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.aws.services.msk.brokers import Topic

# About a minute on AWS. Less here, because the tests wait for it. Divided by the time factor.
LAG_SECONDS = 20.0


@dataclass(frozen=True)
class View:
    """A topic and its status, as a read returns them."""

    topic: Topic
    status: str


@dataclass(frozen=True)
class _Write:
    before: Topic | None
    after: Topic | None
    status: str
    at: float


class Lag:
    """After a write, reads return the previous state, then a transition, and after `seconds` the actual state."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._writes: dict[str, _Write] = {}

    def record(self, name: str, status: str, before: Topic | None, after: Topic | None) -> None:
        """Record a write. status: CREATING, UPDATING or DELETING. A write during the lag keeps the previous state."""
        with self._lock:
            earlier = self._current(name)
            write = _Write(before, after, status, self._clock())
            self._writes[name] = replace(write, before=earlier.before) if earlier else write

    def view(self, name: str, actual: Topic | None) -> View | None:
        with self._lock:
            write = self._current(name)
            if write is None:
                return None if actual is None else View(actual, "ACTIVE")
            if self._clock() < write.at + self._seconds / 2:
                return None if write.before is None else View(write.before, "ACTIVE")
            shown = write.before or write.after
            return None if shown is None else View(shown, write.status)

    def names(self) -> set[str]:
        """The topics whose reads may differ from the actual state."""
        with self._lock:
            return {name for name in list(self._writes) if self._current(name)}

    def _current(self, name: str) -> _Write | None:
        write = self._writes.get(name)
        if write is not None and self._clock() >= write.at + self._seconds:
            del self._writes[name]
            return None
        return write
