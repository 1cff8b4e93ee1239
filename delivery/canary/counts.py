"""What the load balancer counted for both arms of a canary, period by period."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Fewer closed periods without any request may be a quiet moment; the last two of them mean that counting ended.
STALE_PERIODS = 2


def percent(share: float) -> str:
    """`99.62 %`."""
    return f"{share:.2%}".replace("%", " %")


@dataclass(frozen=True)
class Counts:
    """failures: answers 5xx, and requests without an answer."""

    requests: int = 0
    failures: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.requests + other.requests, self.failures + other.failures)

    @property
    def success_rate(self) -> float:
        """0.0 to 1.0; of no requests none has failed."""
        return 1 - self.failures / self.requests if self.requests else 1.0


@dataclass(frozen=True)
class Slow:
    """Requests slower than the latency objective, per arm."""

    stable: int = 0
    canary: int = 0

    def __add__(self, other: "Slow") -> "Slow":
        return Slow(self.stable + other.stable, self.canary + other.canary)


@dataclass(frozen=True)
class Period:
    """What both arms did in one closed period. slow: None where nobody counts slow requests."""

    start: datetime
    stable: Counts = Counts()
    canary: Counts = Counts()
    slow: Slow | None = None

    @property
    def has_data(self) -> bool:
        return bool(self.stable.requests or self.canary.requests)


def count_arm(requests: int, answers: Sequence[int]) -> Counts:
    """answers: 2xx, 3xx, 4xx and 5xx. What was asked and never answered has failed as well."""
    unanswered = max(0, requests - sum(answers))
    return Counts(requests, answers[-1] + unanswered)


def count_slow(answered: float, percent_in_time: float) -> int:
    """How many of so many answers took longer than the objective. percent_in_time: 0.0 to 100.0, of the others."""
    return round(answered * (100 - percent_in_time) / 100)


def periods_within(begin: datetime, end: datetime, period: timedelta) -> tuple[datetime, ...]:
    """The starts of the whole periods between two moments; CloudWatch begins them at multiples of their length."""
    first = math.ceil(begin.timestamp() / period.total_seconds())
    last = math.floor(end.timestamp() / period.total_seconds())
    return tuple(datetime.fromtimestamp(n * period.total_seconds(), UTC) for n in range(first, last))


def is_touched(start: datetime, period: timedelta, moments: Iterable[datetime], margin: timedelta) -> bool:
    """Whether any of the moments lies within the period, or so little before or after it that it may have."""
    return any(start - margin < at < start + period + margin for at in moments)
