"""Whether the traffic before a release will do for its canary, told before anything is touched."""

import math
from collections.abc import Sequence
from datetime import timedelta

from delivery.evidence import Policy


def foresee(policy: Policy, weights_percent: Sequence[int], requests_per_second: float) -> str | None:
    """Why the traffic before the release will not decide a step before its ceiling, with the choices; None: it will.

    requests_per_second: of both arms together.
    """
    power, per_step = policy.power(), requests_per_second * counted_in(policy).total_seconds()
    for weight in weights_percent:
        missing = power.requests_missing(weight / 100)
        if missing is None or missing > per_step:
            return _hopeless(policy, weight, missing, requests_per_second)
        seen = max(float(missing), requests_per_second * policy.pause.total_seconds())
        power = power.add(seen * weight / 100, seen * (1 - weight / 100))
    return None


def counted_in(policy: Policy) -> timedelta:
    """How long of a step's ceiling is counted: what comes later is read after it, and the first period is cut."""
    return max(policy.longest - policy.lateness - policy.period, timedelta())


def _hopeless(policy: Policy, weight: int, missing: int | None, requests_per_second: float) -> str:
    needed = f"{missing} requests" if missing is not None else "more requests than any service sees"
    longest, counted = policy.longest, counted_in(policy)
    comes = round(requests_per_second * counted.total_seconds())
    takes = timedelta(seconds=math.ceil(missing / requests_per_second)) if missing and requests_per_second else None
    enough = takes + (longest - counted) if takes else None
    pause = f"a ceiling of {enough}" if enough else "more traffic"
    return (
        f"At {weight} % it takes {needed} to show {policy.smallest_harm}; at {requests_per_second:.3g} requests/s "
        f"{comes} are counted within {longest}, so the step will be inconclusive. Choose {pause}, a larger "
        "smallest harm, a larger first weight, or another answer when unsure (revert, ask, guide)."
    )
