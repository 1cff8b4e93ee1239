"""The judgement of one canary step on what the load balancer counted during its pause."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.verification import Verdict

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

    def describe(self) -> str:
        return f"{percent(self.success_rate)} of {self.requests} requests succeeded"


@dataclass(frozen=True)
class Period:
    """What both arms did in one closed period."""

    start: datetime
    stable: Counts = Counts()
    canary: Counts = Counts()

    @property
    def has_data(self) -> bool:
        return bool(self.stable.requests or self.canary.requests)


@dataclass(frozen=True)
class Analysis:
    """A verdict with its sentence, and the counts it rests on."""

    verdict: Verdict
    reason: str
    stable: Counts = field(default_factory=Counts)
    canary: Counts = field(default_factory=Counts)


def judge(periods: Sequence[Period], *, min_success_rate: float) -> Analysis:
    """Judge one canary step on its closed periods.

    periods: oldest first, without the open one. min_success_rate: 0.0 to 1.0.
    Source: guide, "Automatic Rollback Trigger Conditions"; ours: without requests on either arm INCONCLUSIVE, never
    PASS, because nothing was proved.
    """
    stable, canary = _total(period.stable for period in periods), _total(period.canary for period in periods)

    def conclude(verdict: Verdict, reason: str) -> Analysis:
        return Analysis(verdict, reason, stable, canary)

    if canary.requests == 0:
        return conclude(Verdict.INCONCLUSIVE, "no requests reached the new revision")
    if stable.requests == 0:
        return conclude(Verdict.INCONCLUSIVE, "no requests reached the stable revision to compare with")
    wanted, beside = f"{100 * min_success_rate:g} %", percent(stable.success_rate)
    reason = f"{canary.describe()} (wanted {wanted}; stable revision {beside})"
    if canary.success_rate < min_success_rate:
        return conclude(Verdict.FAIL, reason)
    if not any(period.has_data for period in periods[-STALE_PERIODS:]):
        return conclude(Verdict.INCONCLUSIVE, f"the counts ended before the pause did; until then {reason}")
    return conclude(Verdict.PASS, reason)


def count_arm(requests: int, answers: Sequence[int]) -> Counts:
    """answers: 2xx, 3xx, 4xx and 5xx. What was asked and never answered has failed as well."""
    unanswered = max(0, requests - sum(answers))
    return Counts(requests, answers[-1] + unanswered)


def periods_within(begin: datetime, end: datetime, period: timedelta) -> tuple[datetime, ...]:
    """The starts of the whole periods between two moments; CloudWatch begins them at multiples of their length."""
    first = math.ceil(begin.timestamp() / period.total_seconds())
    last = math.floor(end.timestamp() / period.total_seconds())
    return tuple(datetime.fromtimestamp(n * period.total_seconds(), UTC) for n in range(first, last))


def closed_periods(periods: Sequence[Period], period: timedelta, *, now: datetime) -> tuple[Period, ...]:
    """The periods whose counts will not grow any more, oldest first.

    Counts arrive late: a period is closed once a later one has data, or two more have passed.
    """
    latest = max((found.start for found in periods if found.has_data), default=datetime.min.replace(tzinfo=UTC))
    return tuple(found for found in periods if found.start < latest or found.start + 3 * period <= now)


def describe_period(period: Period) -> str:
    """A line of the log: both arms at a time."""
    arms = [f"{name} {arm.failures} of {arm.requests} failed" for name, arm in _arms(period)]
    return f"{period.start:%H:%M:%S}  " + ", ".join(arms)


def describe_judgement(weight_percent: int, periods: int, seconds: float, analysis: Analysis) -> dict[str, Any]:
    """For the journal: what a step was judged on. periods: closed ones. seconds: for how long it was watched."""
    return {
        "weight_percent": weight_percent,
        "verdict": analysis.verdict.value,
        "reason": analysis.reason,
        "periods": periods,
        "seconds": round(seconds, 1),
        "stable": asdict(analysis.stable),
        "canary": asdict(analysis.canary),
    }


def _arms(period: Period) -> tuple[tuple[str, Counts], ...]:
    return ("stable", period.stable), ("canary", period.canary)


def _total(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())
