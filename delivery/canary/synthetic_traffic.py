"""Made-up traffic during a canary, as the load balancer counts it; the random generator is passed in."""

import math
from dataclasses import dataclass
from random import Random

from delivery.canary.counts import Counts

# From this variance on the normal approximation of a count is closer than the simulated services are to real ones.
NORMAL_FROM = 100.0


@dataclass(frozen=True)
class Scenario:
    """What the traffic of a simulated release does; rates and probabilities are 0.0 to 1.0.

    requests_per_second: of both arms. shock: standard deviation of the logarithm of what both arms' failure rates
    are multiplied by in a period. burst: probability of a period with `burst_factor` times the requests. retries:
    further failures that each failed request makes on its arm. lost: probability that a period's counts cannot be
    read. late: probability, at each look, that an arm's counts of a period are not there yet.
    pods: of the whole service; the canary has its weight's share of them, rounded up. bad_pods, bad_pod_failure_rate:
    so many of the canary's fail at this rate, whatever the release. honoured: share of the weight that the load
    balancer applies.
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
        """How much more often a request to the canary fails than one to the stable revision."""
        return max(self.canary_rate(weight_percent) - self.stable_failure_rate, 0.0)


def count_period(scenario: Scenario, weight_percent: int, seconds: float, random: Random) -> tuple[Counts, Counts]:
    """What the load balancer counts in one period for stable and canary."""
    busy = scenario.burst_factor if random.random() < scenario.burst else 1.0
    shock = math.exp(random.gauss(0.0, scenario.shock)) if scenario.shock else 1.0
    requests = poisson(scenario.requests_per_second * seconds * busy, random)
    canary = binomial(requests, weight_percent / 100 * scenario.honoured, random)
    return (
        _arm(requests - canary, scenario.stable_failure_rate * shock, scenario.retries, random),
        _arm(canary, scenario.canary_rate(weight_percent) * shock, scenario.retries, random),
    )


def read_late(arms: tuple[Counts, Counts], late: float, random: Random) -> tuple[Counts, Counts]:
    """The same as they are read in time. late: probability for each arm that its counts are not there yet."""
    stable, canary = (Counts() if random.random() < late else arm for arm in arms)
    return stable, canary


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


def _arm(requests: int, failure_rate: float, retries: int, random: Random) -> Counts:
    failures = binomial(requests, min(failure_rate, 1.0), random)
    return Counts(requests + failures * retries, failures * (1 + retries))
