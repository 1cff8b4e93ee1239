"""The figures that a verdict is based on, as text."""

import math

from delivery.canary.counts import Slow, format_percent
from delivery.canary.evidence import THE_CANARY, THE_STABLE_REVISION, Evidence
from delivery.canary.sequential import confidence_sequence

# A larger likelihood ratio is printed as `over 1,000,000`.
LARGEST_RATIO = 1_000_000


def describe_success(evidence: Evidence) -> str:
    return f"success rate {describe_success_rate(evidence)}"


def describe_success_rate(evidence: Evidence) -> str:
    """`98.00 % of 2000 requests in this release (...)`, with the interval and the minimum. Requests to the canary."""
    canary, policy = evidence.canary, evidence.policy
    successes = canary.requests - canary.failures
    low, high = confidence_sequence(successes, canary.failures, confidence=policy.confidence)
    interval = f"{100 * policy.confidence:g} % confidence interval {format_percent(low)} to {format_percent(high)}"
    counted = f"{format_percent(canary.success_rate)} of {canary.requests} requests in this release"
    return f"{counted} ({interval}, minimum {100 * policy.min_success_rate:g} %)"


def compare_counts(evidence: Evidence) -> str:
    canary, stable, slow = evidence.step_canary, evidence.step_stable, evidence.step_slow
    failed = f"{canary.failures} of {canary.requests} requests to {THE_CANARY} failed"
    failed = f"{failed}, {stable.failures} of {stable.requests} to {THE_STABLE_REVISION}"
    if not slow or slow == Slow():
        return failed
    return f"{failed}; {slow.canary} requests to {THE_CANARY} were slow, {slow.stable} to {THE_STABLE_REVISION}"


def describe_harm(evidence: Evidence) -> str:
    """`likelihood ratio for harm 2.5 (FAIL at 100)`: the highest one so far in this release."""
    highest = evidence.harm.highest
    ratio = "over " if highest > math.log(LARGEST_RATIO) else ""
    ratio += _format_ratio(math.exp(min(highest, math.log(LARGEST_RATIO))))
    return f"likelihood ratio for harm {ratio} (FAIL at {_format_ratio(1 / evidence.policy.alpha)})"


def _format_ratio(ratio: float) -> str:
    """`1`, `2.5`, `45.6`, `2,500`."""
    return f"{ratio:.3g}" if ratio < 999.5 else f"{ratio:,.0f}"


def describe_sample_ratio(evidence: Evidence) -> str:
    ratio = evidence.sample_ratio
    canary = f"{format_percent(ratio.share)} of {ratio.canary + ratio.stable} requests went to {THE_CANARY}"
    return f"{canary}, its weight is {100 * ratio.weight:g} %"
