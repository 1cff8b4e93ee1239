"""Evidence that stays valid however often it is read: e-processes over counted requests, in logarithms.

An e-process starts at 1 and, while its null hypothesis is true, reaches 1/alpha ever with probability alpha at most.
Sources: Lindon, Sanden and Shirikian, KDD 2022 (arXiv 2205.14762); Lindon and Malek, NeurIPS 2022 (arXiv 2011.03567)
for counts; Robbins 1970 for the confidence sequence. docs/verdict.md has the proofs on one page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from delivery.canary.counts import Counts

RATIOS = tuple(1.25 * (8 / 1.25) ** (step / 23) for step in range(24))

# The most that a share may differ from its weight and still count as honoured: shares are measured, so a difference
# this small changes no verdict, and without it some ten million requests would refuse any real load balancer.
SAMPLE_RATIO_TOLERANCE = 0.01
# How strongly the split's test expects shares close to the weight, in requests; Lindon and Malek's choice.
SAMPLE_RATIO_CONCENTRATION = 100.0


def log_mean_exp(logs: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """The logarithm of the mean of what the logarithms stand for. weights: sum to 1; equal where not given."""
    highest = max(logs)
    if weights is None:
        return highest + math.log(math.fsum([math.exp(log - highest) for log in logs]) / len(logs))
    shares = [weight * math.exp(log - highest) for log, weight in zip(logs, weights, strict=True)]
    return highest + math.log(math.fsum(shares))


@dataclass(frozen=True)
class Hits:
    """What one signal counted in one period: requests per arm, and how many of them it hit (failed, or slow)."""

    stable_requests: int
    canary_requests: int
    stable: int
    canary: int

    @classmethod
    def failures(cls, stable: Counts, canary: Counts) -> Self:
        return cls(stable.requests, canary.requests, stable.failures, canary.failures)

    @property
    def canary_share(self) -> float:
        """Measured, 0.0 to 1.0; of no requests none went to the canary."""
        requests = self.stable_requests + self.canary_requests
        return self.canary_requests / requests if requests else 0.0


@dataclass(frozen=True)
class RatioTest:
    """Evidence that the canary's rate of hits is not `null` times the stable's, but one of `ratios` times.

    ratios on one side of null: above, the null hypothesis is "at most null"; below, "at least null".
    logs: one log-likelihood ratio per ratio, over all periods so far.
    """

    null: float
    ratios: tuple[float, ...]
    logs: tuple[float, ...]

    @classmethod
    def of(cls, null: float, ratios: Sequence[float]) -> Self:
        return cls(null, tuple(ratios), (0.0,) * len(ratios))

    def add(self, hits: Hits) -> Self:
        """The evidence after one more period; its cost does not depend on how many there were before."""
        if not hits.stable + hits.canary:
            return self
        added = log_likelihood_ratios(hits, self.null, self.ratios)
        return replace(self, logs=tuple(log + more for log, more in zip(self.logs, added, strict=True)))

    @property
    def log_evidence(self) -> float:
        return log_mean_exp(self.logs)


def log_likelihood_ratios(hits: Hits, null: float, ratios: Sequence[float]) -> list[float]:
    """Of each ratio against null: a hit falls on the canary with probability w*r / (w*r + 1 - w), w its share."""
    share, total = hits.canary_share, hits.stable + hits.canary
    spread_of_null = math.log1p(share * (null - 1))
    return [
        hits.canary * math.log(ratio / null) - total * (math.log1p(share * (ratio - 1)) - spread_of_null)
        for ratio in ratios
    ]


def harm_test() -> RatioTest:
    """Against "the canary is no worse"; reaching 1/alpha proves harm."""
    return RatioTest.of(1.0, RATIOS)


def non_inferiority_test(limit: float) -> RatioTest:
    """Against "at least `limit` times the stable's rate"; reaching 1/alpha proves that it is less."""
    return RatioTest.of(limit, [limit / ratio for ratio in RATIOS])


@dataclass(frozen=True)
class Harm:
    """Evidence of harm in the failures and in the slow requests together; for the whole release, never reset.

    highest: of all readings; proof once reached stays proof.
    """

    failures: RatioTest = field(default_factory=harm_test)
    slow: RatioTest = field(default_factory=harm_test)
    failures_weight: float = 0.8
    highest: float = 0.0

    def add(self, failures: Hits, slow: Hits | None = None) -> Self:
        """slow: None where nobody counts slow requests; they are then evidence of nothing."""
        after = replace(self, failures=self.failures.add(failures), slow=self.slow.add(slow) if slow else self.slow)
        return replace(after, highest=max(self.highest, after.log_evidence))

    @property
    def log_evidence(self) -> float:
        logs = [self.failures.log_evidence, self.slow.log_evidence]
        return log_mean_exp(logs, [self.failures_weight, 1 - self.failures_weight])

    def is_proven(self, alpha: float) -> bool:
        return self.highest >= -math.log(alpha)


@dataclass(frozen=True)
class SampleRatio:
    """Evidence that the canary's share of the requests is not the weight in force.

    before: log evidence of the steps before this one; each step multiplies its own.
    """

    weight: float
    canary: int = 0
    stable: int = 0
    before: float = 0.0

    def add(self, canary: int, stable: int) -> Self:
        return replace(self, canary=self.canary + canary, stable=self.stable + stable)

    def at(self, weight: float) -> Self:
        """The evidence carried into a step of another weight, 0.0 to 1.0."""
        return replace(self, weight=weight, canary=0, stable=0, before=self.log_evidence)

    @property
    def share(self) -> float:
        """Measured in this step, 0.0 to 1.0; the weight itself while nothing was counted."""
        requests = self.canary + self.stable
        return self.canary / requests if requests else self.weight

    @property
    def log_evidence(self) -> float:
        """Against every share within the tolerance: the one that explains the counts best is the least evidence."""
        lowest, highest = max(self.weight - SAMPLE_RATIO_TOLERANCE, 0.0), min(self.weight + SAMPLE_RATIO_TOLERANCE, 1.0)
        nearest = min(max(self.share, lowest), highest)
        prior = min(max(self.weight, SAMPLE_RATIO_TOLERANCE), 1 - SAMPLE_RATIO_TOLERANCE) * SAMPLE_RATIO_CONCENTRATION
        return self.before + log_mixture(self.canary, self.stable, nearest, prior, SAMPLE_RATIO_CONCENTRATION - prior)

    def is_refuted(self, alpha: float) -> bool:
        return self.log_evidence >= -math.log(alpha)


def log_mixture(hits: int, misses: int, rate: float, prior_hits: float = 1.0, prior_misses: float = 1.0) -> float:
    """Log evidence against `rate` (0.0 to 1.0): all rates weighed by a beta distribution, over this one."""
    marginal = log_beta(prior_hits + hits, prior_misses + misses) - log_beta(prior_hits, prior_misses)
    return marginal - _times_log(hits, rate) - _times_log(misses, 1 - rate)


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def confidence_sequence(hits: int, misses: int, *, confidence: float) -> tuple[float, float]:
    """The rates (0.0 to 1.0) that the counts do not refute, at all readings together with this confidence."""
    limit, centre = -math.log1p(-confidence), hits / (hits + misses) if hits + misses else 0.5

    def edge(outside: float) -> float:
        if log_mixture(hits, misses, outside) < limit:
            return outside
        inside = centre
        for _ in range(48):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if log_mixture(hits, misses, middle) < limit else (inside, middle)
        return outside

    return edge(0.0), edge(1.0)


def _times_log(count: int, rate: float) -> float:
    if not count:
        return 0.0
    return count * math.log(rate) if rate > 0 else -math.inf
