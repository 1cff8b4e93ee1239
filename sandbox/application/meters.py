"""Counters and timers of the application, similar to Micrometer."""

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """The tags of a request. `uri` is the route, not the path."""

    method: str
    uri: str
    status: int


@dataclass
class Timer:
    count: int = 0
    total_seconds: float = 0.0
    max_seconds: float = 0.0

    def record(self, seconds: float) -> None:
        self.count += 1
        self.total_seconds += seconds
        self.max_seconds = max(self.max_seconds, seconds)


class Meters:
    """Counters by name, and a timer for each set of request tags, since the start of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: Counter[str] = Counter()
        self._requests: defaultdict[Request, Timer] = defaultdict(Timer)
        self._started = time.monotonic()

    def count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self._counters[name] += number

    def record(self, request: Request, seconds: float) -> None:
        with self._lock:
            self._requests[request].record(seconds)

    def counters(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counters)

    def requests(self) -> dict[Request, Timer]:
        with self._lock:
            return {request: Timer(**vars(timer)) for request, timer in self._requests.items()}

    def uptime_seconds(self) -> float:
        return time.monotonic() - self._started


def add_up(timers: list[Timer]) -> Timer:
    return Timer(
        count=sum(timer.count for timer in timers),
        total_seconds=sum(timer.total_seconds for timer in timers),
        max_seconds=max((timer.max_seconds for timer in timers), default=0.0),
    )
