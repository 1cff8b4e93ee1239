"""Whether the traffic before a release is enough for its canary. The plan reports it before the release starts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from delivery.canary.evidence import Policy
from delivery.fields import format_duration


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
        return f"{unknown}: no requests were counted in the last {format_duration(policy.longest_pause)}."
    if traffic.duration < policy.pause:
        counted, pause = format_duration(traffic.duration), format_duration(policy.pause)
        return f"{unknown}: only {counted} of traffic data, and a pause takes {pause}."
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
    effect = policy.minimum_detectable_effect
    if missing is None:
        why, options = f"At {weight_percent} %, no number of requests is enough to detect {effect}", ""
    else:
        why = f"At {weight_percent} %, {missing} requests are needed to detect {effect}. {_expected(policy, traffic)}"
        options = f"{_remedy(policy, missing, traffic.requests_per_second)}, "
    return (
        f"{why}, so the step will be inconclusive. Options: {options}a larger minimum_detectable_effect, "
        "a larger first weight, or another on_inconclusive (rollback, approval, guide)."
    )


def _expected(policy: Policy, traffic: Traffic) -> str:
    """The requests that the longest pause counts at this traffic."""
    rate, requests = traffic.requests_per_second, traffic.requests_per_second * counted_time(policy).total_seconds()
    longest_pause, duration = format_duration(policy.longest_pause), format_duration(traffic.duration)
    return (
        f"At {rate:.3g} requests/s, the rate of the last {duration}, {round(requests)} requests are counted within "
        f"{longest_pause}"
    )


def _remedy(policy: Policy, missing: int, requests_per_second: float) -> str:
    """The smallest ceiling, in tenths, whose longest pause counts the missing requests."""
    if not requests_per_second:
        return "more traffic"
    longest_pause = timedelta(seconds=math.ceil(missing / requests_per_second)) + policy.lateness + policy.period
    ceiling = math.ceil(10 * (longest_pause / policy.pause)) / 10
    return f"a ceiling of {ceiling:.10g} (pauses of up to {format_duration(policy.pause * ceiling)})"
