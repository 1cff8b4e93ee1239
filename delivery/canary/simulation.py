"""Simulated canaries: the judge and the pauses of an environment, on a virtual clock, with synthetic traffic."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import quantiles

from delivery.canary.counts import Period
from delivery.canary.evidence import Evidence, Policy
from delivery.canary.synthetic_traffic import Scenario, count_period, read_late
from delivery.canary.verdict import Judgement, PauseAction, judge_pause

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
PROMOTING = (PauseAction.PROMOTE, PauseAction.PROMOTE_BY_GUIDE)
WITHOUT_PROOF = (PauseAction.PROMOTE_BY_GUIDE, PauseAction.ROLL_BACK, PauseAction.AWAIT_APPROVAL)
# The quantile of the normal distribution for a 95 % interval.
Z = 1.96


@dataclass(frozen=True)
class Run:
    """How one simulated release ended.

    requests: to both revisions. additional_failures: the canary's failed requests beyond those that the stable
    revision would have.
    is_inconclusive: whether a pause reached its ceiling without proof.
    """

    action: PauseAction
    duration: timedelta
    requests: int
    additional_failures: float
    is_inconclusive: bool
    reason: str


@dataclass(frozen=True)
class Summary:
    """How many runs ended: fractions (0.0 to 1.0), and p50, p90 and p99 of the time and the requests until an abort.

    inconclusive: runs in which a pause reached its ceiling without proof. If on_inconclusive is guide, some of them are
    promoted too. additional_failures: the mean of all runs.
    """

    runs: int
    aborted: float
    promoted: float
    inconclusive: float
    minutes: tuple[float, float, float] | None
    requests: tuple[float, float, float] | None
    additional_failures: float


def simulate(scenario: Scenario, policy: Policy, weights_percent: Sequence[int], random: Random) -> Run:
    """One release through its steps, until it is rolled back, needs an approval, or is promoted past the last weight.

    weights_percent: at least one. The steps follow each other without a gap; real ones wait for pods in between.
    """
    release = _Release(scenario, random, Evidence.begin(policy, weights_percent[0], BEGIN))
    judgement = release.run_step(weights_percent[0])
    for weight_percent in weights_percent[1:]:
        if judgement.action in PROMOTING:
            judgement = release.run_step(weight_percent)
    return release.end(judgement)


def simulate_many(
    scenario: Scenario, policy: Policy, weights_percent: Sequence[int], *, runs: int, seed: str
) -> Summary:
    """The summary of this many releases. Release n of a seed does not depend on the number of releases."""
    return summarize([simulate(scenario, policy, weights_percent, Random(f"{seed}/{run}")) for run in range(runs)])


def summarize(runs: Sequence[Run]) -> Summary:
    """runs: at least one."""
    aborted = [run for run in runs if run.action is PauseAction.ABORT]
    return Summary(
        runs=len(runs),
        aborted=len(aborted) / len(runs),
        promoted=sum(run.action in PROMOTING for run in runs) / len(runs),
        inconclusive=sum(run.is_inconclusive for run in runs) / len(runs),
        minutes=_percentiles([run.duration.total_seconds() / 60 for run in aborted]),
        requests=_percentiles([run.requests for run in aborted]),
        additional_failures=sum(run.additional_failures for run in runs) / len(runs),
    )


def interval(fraction: float, runs: int) -> tuple[float, float]:
    """The 95 % interval (Wilson) of a fraction (0.0 to 1.0) of this many runs."""
    spread = 1 + Z * Z / runs
    centre = (fraction + Z * Z / (2 * runs)) / spread
    half = Z / spread * math.sqrt(fraction * (1 - fraction) / runs + Z * Z / (4 * runs * runs))
    return max(centre - half, 0.0), min(centre + half, 1.0)


@dataclass
class _Release:
    """A simulated release in progress. additional_failures: so far."""

    scenario: Scenario
    random: Random
    evidence: Evidence
    now: datetime = BEGIN
    requests: int = 0
    additional_failures: float = 0.0
    is_inconclusive: bool = False

    def run_step(self, weight_percent: int) -> Judgement:
        """The judgement that ends the pause at this weight. Each period is read `lateness` after its end."""
        self.evidence, unread = self.evidence.begin_step(weight_percent, self.now), deque[Period]()
        while True:
            unread.append(self._serve(weight_percent))
            while unread and unread[0].start + self.policy.period + self.policy.lateness <= self.now:
                if not self._read(unread[0]):
                    break
                unread.popleft()
            judgement = judge_pause(self.evidence, self.now)
            if judgement.action is not PauseAction.WAIT:
                self.is_inconclusive |= judgement.action in WITHOUT_PROOF
                return judgement

    def end(self, judgement: Judgement) -> Run:
        return Run(
            judgement.action,
            self.now - BEGIN,
            self.requests,
            self.additional_failures,
            self.is_inconclusive,
            judgement.line,
        )

    @property
    def policy(self) -> Policy:
        return self.evidence.policy

    def _serve(self, weight_percent: int) -> Period:
        stable, canary = count_period(self.scenario, weight_percent, self.policy.period.total_seconds(), self.random)
        self.requests += stable.requests + canary.requests
        self.additional_failures += canary.requests * self.scenario.harm(weight_percent)
        start, self.now = self.now, self.now + self.policy.period
        return Period(start, stable, canary)

    def _read(self, period: Period) -> bool:
        """Whether the judge is done with the period; False if the period has to be read again."""
        if self.random.random() < self.scenario.lost:
            self.evidence = self.evidence.mark_unreadable(f"no response for {period.start:%H:%M:%S} UTC")
            return True
        found = Period(period.start, *read_late((period.stable, period.canary), self.scenario.late, self.random))
        late = self.evidence.why_read_again(found, self.now)
        self.evidence = self.evidence.mark_unreadable(late) if late else self.evidence.observe(found)
        return late is None


def _percentiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """p50, p90, p99; None without values."""
    if not values:
        return None
    cuts = quantiles([*values, *values] if len(values) == 1 else values, n=100, method="inclusive")
    return cuts[49], cuts[89], cuts[98]
