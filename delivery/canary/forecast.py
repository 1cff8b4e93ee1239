"""Whether the traffic before a release is enough for its canary. The plan reports it before the release starts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from delivery.canary.evidence import Policy


@dataclass(frozen=True)
class Traffic:
    """The requests to both revisions before a release. duration: how long they were counted."""

    requests: float
    duration: timedelta

    @classmethod
    def of(cls, counts: Sequence[float], period: timedelta) -> Self:
        """The traffic since the first request, because before it there may have been no service or no counts.

        counts: requests of each closed period, oldest first. Traffic began within the period of the first request, so
        this period is left out, unless it is the oldest one.
        """
        begin = next((index for index, requests in enumerate(counts) if requests), len(counts))
        counted = counts[begin + 1 if begin else 0 :]
        return cls(sum(counted), len(counted) * period)

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.duration.total_seconds() if self.duration else 0.0


def forecast(policy: Policy, weights_percent: Sequence[int], traffic: Traffic) -> str | None:
    """Why the traffic is not enough for a verdict at some step, and what to set; None if it is enough.

    If the traffic was counted for less than a pause, the forecast never says that it is not enough.
    """
    undecided = _first_undecided(policy, weights_percent, traffic.requests_per_second)
    if undecided is None:
        return None
    unknown = "It is unknown whether the traffic is enough for the canary"
    if not traffic.duration:
        return f"{unknown}: no requests were counted in the last {policy.longest_pause}."
    if traffic.duration < policy.pause:
        return f"{unknown}: it was counted only in the last {traffic.duration}, and a pause takes {policy.pause}."
    return _describe_undecided(policy, *undecided, traffic)


def counted_time(policy: Policy) -> timedelta:
    """The part of the longest pause whose requests are read: not the first, cut period, and not the last `lateness`."""
    return max(policy.longest_pause - policy.lateness - policy.period, timedelta())


def _first_undecided(
    policy: Policy, weights_percent: Sequence[int], requests_per_second: float
) -> tuple[int, int | None] | None:
    """The weight of the first step without a verdict, and how many requests it needs; None: no number is enough."""
    power, per_step = policy.begin_power_analysis(), requests_per_second * counted_time(policy).total_seconds()
    for weight_percent in weights_percent:
        missing = power.requests_missing(weight_percent / 100)
        if missing is None or missing > per_step:
            return weight_percent, missing
        counted = max(float(missing), requests_per_second * policy.pause.total_seconds())
        power = power.add(counted * weight_percent / 100, counted * (1 - weight_percent / 100))
    return None


def _describe_undecided(policy: Policy, weight_percent: int, missing: int | None, traffic: Traffic) -> str:
    needed = f"{missing} requests" if missing is not None else "more requests than any service has"
    longest, counted, rate = policy.longest_pause, counted_time(policy), traffic.requests_per_second
    takes = timedelta(seconds=math.ceil(missing / rate)) if missing and rate else None
    remedy = f"a ceiling that allows pauses of {takes + (longest - counted)}" if takes else "more traffic"
    return (
        f"At {weight_percent} %, {needed} are needed to detect {policy.minimum_detectable_effect}. At {rate:.3g} "
        f"requests/s, the rate of the last {traffic.duration}, {round(rate * counted.total_seconds())} requests are "
        f"counted within {longest}, so the step will be inconclusive. Options: {remedy}, a larger "
        "minimum_detectable_effect, a larger first weight, or another on_inconclusive (rollback, approval, guide)."
    )
