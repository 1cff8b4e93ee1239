"""Canaries on a virtual clock: the same judge and pauses, with traffic from a random generator that is passed in."""

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
from delivery.canary.verdict import Move, PauseAction, next_move

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
GOING_ON = (PauseAction.ADVANCE, PauseAction.ADVANCE_BY_GUIDE)
WITHOUT_PROOF = (PauseAction.ADVANCE_BY_GUIDE, PauseAction.REVERT, PauseAction.ASK)
# Of the normal distribution, for an interval at 95 %.
Z = 1.96


@dataclass(frozen=True)
class Run:
    """How one simulated release ended.

    requests: of both arms. users_harmed: failures of the canary beyond what the stable revision would have had.
    is_unsure: whether a pause reached its ceiling without proof.
    """

    action: PauseAction
    duration: timedelta
    requests: int
    users_harmed: float
    is_unsure: bool
    reason: str


@dataclass(frozen=True)
class Summary:
    """Of many runs: shares (0.0 to 1.0) of how they ended, and p50, p90 and p99 of what the aborted ones took.

    inconclusive: in which a pause reached its ceiling without proof; where the policy is to go on by the guide's
    condition, some of them are promoted. users_harmed: mean of all.
    """

    runs: int
    aborted: float
    promoted: float
    inconclusive: float
    minutes: tuple[float, float, float] | None
    requests: tuple[float, float, float] | None
    users_harmed: float


def simulate(scenario: Scenario, policy: Policy, weights_percent: Sequence[int], random: Random) -> Run:
    """One release through all its steps, until the judge takes it back, asks, or has let it pass the last weight.

    weights_percent: at least one. Its steps follow one another without a break; real ones wait for pods in between.
    """
    release = _Release(scenario, random, Evidence.begin(policy, weights_percent[0], BEGIN))
    move = release.follow(weights_percent[0])
    for weight in weights_percent[1:]:
        if move.action in GOING_ON:
            move = release.follow(weight)
    return Run(move.action, release.now - BEGIN, release.requests, release.harmed, release.is_unsure, move.line)


def simulate_many(
    scenario: Scenario, policy: Policy, weights_percent: Sequence[int], *, runs: int, seed: str
) -> Summary:
    """How so many releases end; the n-th of them is the same for a seed, however many there are."""
    return summarize([simulate(scenario, policy, weights_percent, Random(f"{seed}/{run}")) for run in range(runs)])


def summarize(runs: Sequence[Run]) -> Summary:
    """runs: at least one."""
    aborted = [run for run in runs if run.action is PauseAction.ABORT]
    return Summary(
        runs=len(runs),
        aborted=len(aborted) / len(runs),
        promoted=sum(run.action in GOING_ON for run in runs) / len(runs),
        inconclusive=sum(run.is_unsure for run in runs) / len(runs),
        minutes=_percentiles([run.duration.total_seconds() / 60 for run in aborted]),
        requests=_percentiles([run.requests for run in aborted]),
        users_harmed=sum(run.users_harmed for run in runs) / len(runs),
    )


def interval(share: float, runs: int) -> tuple[float, float]:
    """The 95 % interval (Wilson) of a share (0.0 to 1.0) that so many runs have shown."""
    spread = 1 + Z * Z / runs
    centre = (share + Z * Z / (2 * runs)) / spread
    half = Z / spread * math.sqrt(share * (1 - share) / runs + Z * Z / (4 * runs * runs))
    return max(centre - half, 0.0), min(centre + half, 1.0)


@dataclass
class _Release:
    """A release under way. harmed: users so far."""

    scenario: Scenario
    random: Random
    evidence: Evidence
    now: datetime = BEGIN
    requests: int = 0
    harmed: float = 0.0
    is_unsure: bool = False

    def follow(self, weight_percent: int) -> Move:
        """The move that ends the pause at this weight; each period is read once it is as old as the policy says."""
        self.evidence, unread = self.evidence.begin_step(weight_percent, self.now), deque[Period]()
        while True:
            unread.append(self._serve(weight_percent))
            while unread and unread[0].start + self.policy.period + self.policy.lateness <= self.now:
                if not self._read(unread[0]):
                    break
                unread.popleft()
            move = next_move(self.evidence, self.now)
            if move.action is not PauseAction.WAIT:
                self.is_unsure |= move.action in WITHOUT_PROOF
                return move

    @property
    def policy(self) -> Policy:
        return self.evidence.policy

    def _serve(self, weight_percent: int) -> Period:
        stable, canary = count_period(self.scenario, weight_percent, self.policy.period.total_seconds(), self.random)
        self.requests += stable.requests + canary.requests
        self.harmed += canary.requests * self.scenario.harm(weight_percent)
        start, self.now = self.now, self.now + self.policy.period
        return Period(start, stable, canary)

    def _read(self, period: Period) -> bool:
        """Whether the period has been dealt with; one that lacks an arm is awaited for a while."""
        if self.random.random() < self.scenario.lost:
            self.evidence = self.evidence.cannot_read(f"no answer for {period.start:%H:%M:%S} UTC")
            return True
        found = Period(period.start, *read_late((period.stable, period.canary), self.scenario.late, self.random))
        awaited = self.evidence.why_awaited(found, self.now)
        self.evidence = self.evidence.cannot_read(awaited) if awaited else self.evidence.observe(found)
        return awaited is None


def _percentiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """p50, p90, p99; None of no values."""
    if not values:
        return None
    cuts = quantiles([*values, *values] if len(values) == 1 else values, n=100, method="inclusive")
    return cuts[49], cuts[89], cuts[98]
