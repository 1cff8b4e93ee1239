"""The requests that the load balancer counts for the stable revision and for the canary, period by period."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A single period without requests can be a quiet moment. After this many, the counts are stale.
STALE_PERIODS = 2


def format_percent(fraction: float) -> str:
    """`99.62 %`."""
    return f"{fraction:.2%}".replace("%", " %")


@dataclass(frozen=True)
class Counts:
    """The requests to one revision. failures: responses with status 5xx, and requests without a response."""

    requests: int = 0
    failures: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.requests + other.requests, self.failures + other.failures)

    @property
    def success_rate(self) -> float:
        """0.0 to 1.0; 1.0 without requests."""
        return 1 - self.failures / self.requests if self.requests else 1.0


@dataclass(frozen=True)
class Slow:
    """The requests to each revision that took longer than the latency objective."""

    stable: int = 0
    canary: int = 0

    def __add__(self, other: "Slow") -> "Slow":
        return Slow(self.stable + other.stable, self.canary + other.canary)


@dataclass(frozen=True)
class Period:
    """The counts of both revisions in one closed period. slow: None if slow requests are not counted."""

    start: datetime
    stable: Counts = Counts()
    canary: Counts = Counts()
    slow: Slow | None = None

    @property
    def has_data(self) -> bool:
        return bool(self.stable.requests or self.canary.requests)


def count_requests(requests: int, responses: Sequence[int]) -> Counts:
    """responses: 2xx, 3xx, 4xx and 5xx. A request without a response counts as failed."""
    unanswered = max(0, requests - sum(responses))
    return Counts(requests, responses[-1] + unanswered)


def count_slow(responses: float, percent_in_time: float) -> int:
    """How many of the responses took longer than the objective. percent_in_time: 0.0 to 100.0, of the others."""
    return round(responses * (100 - percent_in_time) / 100)


def periods_within(begin: datetime, end: datetime, period: timedelta) -> tuple[datetime, ...]:
    """The starts of the whole periods between two times. CloudWatch aligns periods to multiples of their length."""
    first = math.ceil(begin.timestamp() / period.total_seconds())
    last = math.floor(end.timestamp() / period.total_seconds())
    return tuple(datetime.fromtimestamp(n * period.total_seconds(), UTC) for n in range(first, last))


def contains_any(start: datetime, period: timedelta, times: Iterable[datetime], margin: timedelta) -> bool:
    """Whether one of the times is in the period, or less than the margin before or after it."""
    return any(start - margin < at < start + period + margin for at in times)
