"""Evidence from given counts, for tests of the judge."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from delivery.canary.counts import Counts, Period
from delivery.canary.evidence import Evidence, Policy
from delivery.canary.verdict import Verdict, judge
from tests.environments import production_policy

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = replace(production_policy(), lateness=timedelta(0))
HEALTHY = (Counts(800, 16), Counts(200, 4))
CountsOfBoth = tuple[Counts, Counts]


def observe(*counts: CountsOfBoth, weight_percent: int = 20, policy: Policy = POLICY) -> Evidence:
    """The evidence after one period of a minute for each pair of counts: the stable revision's, and the canary's."""
    periods = [Period(NOON + index * MINUTE, stable, canary) for index, (stable, canary) in enumerate(counts)]
    return reduce(Evidence.observe, periods, Evidence.begin(policy, weight_percent, NOON))


def verdict_of(*counts: CountsOfBoth, weight_percent: int = 20, after: int | None = None) -> Verdict:
    """after: minutes since the start of the step; None: at the end of the last period."""
    evidence = observe(*counts, weight_percent=weight_percent)
    return judge(evidence, NOON + (len(counts) if after is None else after) * MINUTE).verdict
