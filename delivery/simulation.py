"""Canaries on a virtual clock: the same judge and pauses, with traffic from a random generator that is passed in."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import quantiles

from delivery.canary import Counts, Period
from delivery.evidence import Evidence, Policy
from delivery.verdict import Action, Move, next_move

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
# From this variance on the normal approximation of a count is closer than the simulated services are to real ones.
NORMAL_FROM = 100.0


@dataclass(frozen=True)
class Scenario:
    """What the traffic of a simulated release does; rates and probabilities are 0.0 to 1.0.

    requests_per_second: of both arms. shock: standard deviation of the logarithm of what both arms' failure rates
    are multiplied by in a period. burst: probability of a period with `burst_factor` times the requests. retries:
    further failures that each failed request makes on its arm. lost: probability that a period's counts cannot be
    read. late: periods after which counts arrive. bad_pods, pod_failure_rate: share of the canary's pods that fail
    at this rate whatever the release. honoured: share of the weight that the load balancer applies.
    """

    requests_per_second: float = 50.0
    stable_failure_rate: float = 0.02
    canary_failure_rate: float = 0.02
    shock: float = 0.0
    burst: float = 0.0
    burst_factor: float = 5.0
    retries: int = 0
    lost: float = 0.0
    late: int = 0
    bad_pods: float = 0.0
    pod_failure_rate: float = 0.0
    honoured: float = 1.0

    @property
    def canary_rate(self) -> float:
        """The canary's failure rate over good and bad pods."""
        return self.canary_failure_rate * (1 - self.bad_pods) + self.pod_failure_rate * self.bad_pods


@dataclass(frozen=True)
class Run:
    """How one simulated release ended.

    requests: of both arms. users_harmed: failures of the canary beyond what the stable revision would have had.
    """

    action: Action
    duration: timedelta
    requests: int
    users_harmed: float
    reason: str


@dataclass(frozen=True)
class Summary:
    """Of many runs: shares (0.0 to 1.0) of how they ended, and p50, p90 and p99 of what the aborted ones took."""

    runs: int
    aborted: float
    promoted: float
    inconclusive: float
    minutes: tuple[float, float, float] | None
    requests: tuple[float, float, float] | None
    users_harmed: float


@dataclass(frozen=True)
class _Counted:
    period: Period
    harmed: float
    is_lost: bool


def simulate(scenario: Scenario, policy: Policy, weights_percent: Sequence[int], random: Random) -> Run:
    """One release through all its steps, until the judge takes it back, asks, or has let it pass the last weight."""
    evidence, now, requests, harmed = Evidence.begin(policy, weights_percent[0], BEGIN), BEGIN, 0, 0.0
    move: Move | None = None
    for step, weight in enumerate(weights_percent):
        evidence = evidence.begin_step(weight, now) if step else evidence
        pending: list[_Counted] = []
        for counted in _traffic(scenario, policy, weight, now, random):
            now += policy.period
            requests += counted.period.stable.requests + counted.period.canary.requests
            harmed += counted.harmed
            pending.append(counted)
            if len(pending) > scenario.late:
                evidence = _observe(evidence, pending.pop(0))
            move = next_move(evidence, now)
            if move.action is not Action.WAIT:
                break
        if move is None or move.action not in (Action.ADVANCE, Action.ADVANCE_BY_GUIDE):
            break
    if move is None:
        raise ValueError("a canary needs at least one weight")
    return Run(move.action, now - BEGIN, requests, harmed, move.line)


def summarize(runs: Sequence[Run]) -> Summary:
    """runs: at least one."""
    aborted = [run for run in runs if run.action is Action.ABORT]
    promoted = sum(run.action in (Action.ADVANCE, Action.ADVANCE_BY_GUIDE) for run in runs)
    return Summary(
        runs=len(runs),
        aborted=len(aborted) / len(runs),
        promoted=promoted / len(runs),
        inconclusive=(len(runs) - len(aborted) - promoted) / len(runs),
        minutes=_percentiles([run.duration.total_seconds() / 60 for run in aborted]),
        requests=_percentiles([run.requests for run in aborted]),
        users_harmed=sum(run.users_harmed for run in runs) / len(runs),
    )


def count_period(scenario: Scenario, weight: float, seconds: float, random: Random) -> tuple[Counts, Counts]:
    """What the load balancer counts in one period for stable and canary. weight: 0.0 to 1.0."""
    busy = scenario.burst_factor if random.random() < scenario.burst else 1.0
    shock = math.exp(random.gauss(0.0, scenario.shock)) if scenario.shock else 1.0
    requests = poisson(scenario.requests_per_second * seconds * busy, random)
    canary = binomial(requests, weight * scenario.honoured, random)
    return (
        _arm(requests - canary, scenario.stable_failure_rate * shock, scenario.retries, random),
        _arm(canary, scenario.canary_rate * shock, scenario.retries, random),
    )


def binomial(trials: int, probability: float, random: Random) -> int:
    """Successes of so many trials; drawn one success at a time, normal where there are many."""
    if probability > 0.5:
        return trials - binomial(trials, 1 - probability, random)
    if probability <= 0:
        return 0
    mean = trials * probability
    if mean * (1 - probability) > NORMAL_FROM:
        return min(max(round(random.gauss(mean, math.sqrt(mean * (1 - probability)))), 0), trials)
    found, at, step = 0, 0, math.log1p(-probability)
    while (at := at + 1 + int(math.log(1 - random.random()) / step)) <= trials:
        found += 1
    return found


def poisson(mean: float, random: Random) -> int:
    """Arrivals of so many expected; drawn one at a time, normal where there are many."""
    if mean > NORMAL_FROM:
        return max(round(random.gauss(mean, math.sqrt(mean))), 0)
    arrivals, at = -1, 0.0
    while at <= mean:
        at -= math.log(1 - random.random())
        arrivals += 1
    return arrivals


def _traffic(
    scenario: Scenario, policy: Policy, weight_percent: int, begin: datetime, random: Random
) -> Iterator[_Counted]:
    extra = max(scenario.canary_rate - scenario.stable_failure_rate, 0.0)
    start = begin
    while True:
        stable, canary = count_period(scenario, weight_percent / 100, policy.period.total_seconds(), random)
        yield _Counted(Period(start, stable, canary), canary.requests * extra, random.random() < scenario.lost)
        start += policy.period


def _observe(evidence: Evidence, counted: _Counted) -> Evidence:
    if counted.is_lost:
        return evidence.cannot_read(f"no answer for {counted.period.start:%H:%M:%S}")
    return evidence.observe(counted.period)


def _arm(requests: int, failure_rate: float, retries: int, random: Random) -> Counts:
    failures = binomial(requests, min(failure_rate, 1.0), random)
    return Counts(requests + failures * retries, failures * (1 + retries))


def _percentiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """p50, p90, p99; None of no values."""
    if not values:
        return None
    cuts = quantiles([*values, *values] if len(values) == 1 else values, n=100, method="inclusive")
    return cuts[49], cuts[89], cuts[98]
