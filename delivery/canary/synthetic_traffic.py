"""Synthetic traffic during a canary, as the load balancer counts it. The random generator is a parameter."""

import math
from dataclasses import dataclass
from random import Random

from delivery.canary.counts import Counts

# From this variance on, the error of the normal approximation is smaller than that of any scenario.
NORMAL_FROM = 100.0


@dataclass(frozen=True)
class Scenario:
    """The traffic of a simulated release. Rates and probabilities are 0.0 to 1.0.

    requests_per_second: to both revisions. shock: standard deviation of the logarithm of a factor, drawn per period,
    for both failure rates. burst: probability that a period has `burst_factor` times the requests. retries: how often
    each failed request is repeated, and fails again at the same revision. lost: probability that the counts of a period
    cannot be read. late: probability, at each read, that a revision's counts of a period are not there yet.
    pods: of the whole service. The canary has the fraction of its weight, rounded up; `bad_pods` of these pods fail at
    `bad_pod_failure_rate` in every release. honoured: the fraction of the weight that the load balancer applies.
    """

    requests_per_second: float = 50.0
    stable_failure_rate: float = 0.02
    canary_failure_rate: float = 0.02
    shock: float = 0.0
    burst: float = 0.0
    burst_factor: float = 5.0
    retries: int = 0
    lost: float = 0.0
    late: float = 0.0
    pods: int = 6
    bad_pods: int = 0
    bad_pod_failure_rate: float = 0.5
    honoured: float = 1.0

    def canary_rate(self, weight_percent: int) -> float:
        """The canary's failure rate over its good and bad pods."""
        bad = min(self.bad_pods / max(math.ceil(weight_percent * self.pods / 100), 1), 1.0)
        return self.canary_failure_rate * (1 - bad) + self.bad_pod_failure_rate * bad

    def harm(self, weight_percent: int) -> float:
        """The canary's failure rate above that of the stable revision; 0.0 if it is not higher."""
        return max(self.canary_rate(weight_percent) - self.stable_failure_rate, 0.0)


def count_period(scenario: Scenario, weight_percent: int, seconds: float, random: Random) -> tuple[Counts, Counts]:
    """What the load balancer counts in one period for the stable revision and the canary."""
    burst = scenario.burst_factor if random.random() < scenario.burst else 1.0
    shock = math.exp(random.gauss(0.0, scenario.shock)) if scenario.shock else 1.0
    requests = poisson(scenario.requests_per_second * seconds * burst, random)
    canary = binomial(requests, weight_percent / 100 * scenario.honoured, random)
    return (
        _count_revision(requests - canary, scenario.stable_failure_rate * shock, scenario.retries, random),
        _count_revision(canary, scenario.canary_rate(weight_percent) * shock, scenario.retries, random),
    )


def read_late(counts: tuple[Counts, Counts], late: float, random: Random) -> tuple[Counts, Counts]:
    """The counts of both revisions at one read. late: probability for each of them that they are not there yet."""
    stable, canary = (Counts() if random.random() < late else found for found in counts)
    return stable, canary


def binomial(trials: int, probability: float, random: Random) -> int:
    """The successes of this many trials, drawn one success at a time, or from a normal distribution if many."""
    if probability > 0.5:
        return trials - binomial(trials, 1 - probability, random)
    if probability <= 0:
        return 0
    mean = trials * probability
    if mean * (1 - probability) > NORMAL_FROM:
        return min(max(round(random.gauss(mean, math.sqrt(mean * (1 - probability)))), 0), trials)
    successes, at, step = 0, 0, math.log1p(-probability)
    while (at := at + 1 + int(math.log(1 - random.random()) / step)) <= trials:
        successes += 1
    return successes


def poisson(mean: float, random: Random) -> int:
    """The arrivals if this many are expected, drawn one at a time, or from a normal distribution if many."""
    if mean > NORMAL_FROM:
        return max(round(random.gauss(mean, math.sqrt(mean))), 0)
    arrivals, at = -1, 0.0
    while at <= mean:
        at -= math.log(1 - random.random())
        arrivals += 1
    return arrivals


def _count_revision(requests: int, failure_rate: float, retries: int, random: Random) -> Counts:
    failures = binomial(requests, min(failure_rate, 1.0), random)
    return Counts(requests + failures * retries, failures * (1 + retries))
