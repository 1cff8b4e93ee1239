"""Whether the traffic before a release will do for its canary, told before anything is touched."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from delivery.canary.evidence import Policy


@dataclass(frozen=True)
class Traffic:
    """What was counted of both arms together before a release. over: how long it was counted."""

    requests: float
    over: timedelta

    @classmethod
    def of(cls, counts: Sequence[float], period: timedelta) -> Self:
        """From the first request on: before it there may have been no service, or nobody who counted.

        counts: requests of each closed period, oldest first. The period of the first request is counted where it is the
        oldest one; elsewhere it is cut, for the traffic began within it.
        """
        begin = next((place for place, requests in enumerate(counts) if requests), len(counts))
        counted = counts[begin + 1 if begin else 0 :]
        return cls(sum(counted), len(counted) * period)

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.over.total_seconds() if self.over else 0.0


def forecast(policy: Policy, weights_percent: Sequence[int], traffic: Traffic) -> str | None:
    """Why the traffic before the release will not decide a step before its ceiling, with the choices; None: it will.

    Less traffic than a pause is long is too little to tell that it will not do.
    """
    hopeless = _first_hopeless(policy, weights_percent, traffic.requests_per_second)
    if hopeless is None:
        return None
    unknown = "It is not known whether the traffic will do for the canary"
    if not traffic.over:
        return f"{unknown}: none was counted in the last {policy.longest}."
    if traffic.over < policy.pause:
        return f"{unknown}: it began to be counted {traffic.over} ago, and a pause takes {policy.pause}."
    return _describe_hopeless(policy, *hopeless, traffic)


def counted_in(policy: Policy) -> timedelta:
    """How long of a step's ceiling is counted: what comes later is read after it, and the first period is cut."""
    return max(policy.longest - policy.lateness - policy.period, timedelta())


def _first_hopeless(
    policy: Policy, weights_percent: Sequence[int], requests_per_second: float
) -> tuple[int, int | None] | None:
    """The first step that will not be decided, and how many requests it takes; None of them: no number is enough."""
    power, per_step = policy.begin_power_analysis(), requests_per_second * counted_in(policy).total_seconds()
    for weight in weights_percent:
        missing = power.requests_missing(weight / 100)
        if missing is None or missing > per_step:
            return weight, missing
        seen = max(float(missing), requests_per_second * policy.pause.total_seconds())
        power = power.add(seen * weight / 100, seen * (1 - weight / 100))
    return None


def _describe_hopeless(policy: Policy, weight: int, missing: int | None, traffic: Traffic) -> str:
    needed = f"{missing} requests" if missing is not None else "more requests than any service sees"
    longest, counted, rate = policy.longest, counted_in(policy), traffic.requests_per_second
    takes = timedelta(seconds=math.ceil(missing / rate)) if missing and rate else None
    pause = f"a ceiling of {takes + (longest - counted)}" if takes else "more traffic"
    return (
        f"At {weight} %, {needed} are needed to detect {policy.minimum_detectable_effect}. At {rate:.3g} requests/s, "
        f"the rate of the last {traffic.over}, {round(rate * counted.total_seconds())} requests are counted within "
        f"{longest}, so the step will be inconclusive. Set {pause}, a larger minimum_detectable_effect, a larger "
        "first weight, or another on_inconclusive (rollback, approval, guide)."
    )
