"""Evidence that is valid however often it is read: e-processes over counted requests, as logarithms.

An e-process starts at 1. If its null hypothesis is true, the probability that it ever reaches 1/alpha is at most alpha.
Sources: Lindon, Sanden and Shirikian, KDD 2022 (arXiv 2205.14762); Lindon and Malek, NeurIPS 2022 (arXiv 2011.03567)
for counts; Robbins 1970 for the confidence sequence. The proofs are in docs/verdict.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from delivery.canary.counts import Counts

RATIOS = tuple(1.25 * (8 / 1.25) ** (step / 23) for step in range(24))

# Largest difference between the canary's share and its weight that is no mismatch. Shares are measured, so such a
# difference changes no verdict. Without the tolerance, some ten million requests show a mismatch at any load balancer.
SAMPLE_RATIO_TOLERANCE = 0.01
# How strongly the sample-ratio test expects shares close to the weight, in requests (Lindon and Malek's choice).
SAMPLE_RATIO_CONCENTRATION = 100.0


def log_mean_exp(logs: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """The logarithm of the mean of the values, which are given as logarithms. weights: sum to 1; None: equal."""
    highest = max(logs)
    if weights is None:
        return highest + math.log(math.fsum([math.exp(log - highest) for log in logs]) / len(logs))
    terms = [weight * math.exp(log - highest) for log, weight in zip(logs, weights, strict=True)]
    return highest + math.log(math.fsum(terms))


@dataclass(frozen=True)
class Hits:
    """The requests to each revision in one period, and how many of them are hits of a signal (failed, or slow)."""

    stable_requests: int
    canary_requests: int
    stable: int
    canary: int

    @classmethod
    def failures(cls, stable: Counts, canary: Counts) -> Self:
        return cls(stable.requests, canary.requests, stable.failures, canary.failures)

    @property
    def canary_share(self) -> float:
        """The measured share of the requests, 0.0 to 1.0; 0.0 without requests."""
        requests = self.stable_requests + self.canary_requests
        return self.canary_requests / requests if requests else 0.0


@dataclass(frozen=True)
class RatioTest:
    """Evidence that the canary's rate of hits is one of `ratios` times the stable revision's rate, not `null` times.

    ratios: all on one side of null. If above, the null hypothesis is "at most null"; if below, "at least null".
    logs: one log-likelihood ratio per ratio, over all periods so far.
    """

    null: float
    ratios: tuple[float, ...]
    logs: tuple[float, ...]

    @classmethod
    def of(cls, null: float, ratios: Sequence[float]) -> Self:
        return cls(null, tuple(ratios), (0.0,) * len(ratios))

    def add(self, hits: Hits) -> Self:
        """The evidence after one more period. The cost does not depend on the number of earlier periods."""
        if not hits.stable + hits.canary:
            return self
        added = log_likelihood_ratios(hits, self.null, self.ratios)
        return replace(self, logs=tuple(log + more for log, more in zip(self.logs, added, strict=True)))

    @property
    def log_evidence(self) -> float:
        return log_mean_exp(self.logs)


def log_likelihood_ratios(hits: Hits, null: float, ratios: Sequence[float]) -> list[float]:
    """Of each ratio against null. A hit is the canary's with probability w*r / (w*r + 1 - w); w is its share."""
    share, total = hits.canary_share, hits.stable + hits.canary
    log_base_of_null = math.log1p(share * (null - 1))
    return [
        hits.canary * math.log(ratio / null) - total * (math.log1p(share * (ratio - 1)) - log_base_of_null)
        for ratio in ratios
    ]


def harm_test() -> RatioTest:
    """Against "the canary is no worse". Evidence of 1/alpha proves harm."""
    return RatioTest.of(1.0, RATIOS)


def non_inferiority_test(margin: float) -> RatioTest:
    """Against "at least `margin` times the stable revision's rate". Evidence of 1/alpha proves that it is less."""
    return RatioTest.of(margin, [margin / ratio for ratio in RATIOS])


@dataclass(frozen=True)
class Harm:
    """Evidence of harm in failures and slow requests together, for the whole release. It is never reset.

    highest: the highest evidence so far, as a logarithm. Harm that was proven once stays proven.
    """

    failures: RatioTest = field(default_factory=harm_test)
    slow: RatioTest = field(default_factory=harm_test)
    failures_weight: float = 0.8
    highest: float = 0.0

    def add(self, failures: Hits, slow: Hits | None = None) -> Self:
        """slow: None if slow requests are not counted; the evidence from them then does not change."""
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
    """Evidence that the canary's share of the requests is not its weight (sample-ratio mismatch).

    weight: 0.0 to 1.0. before: log evidence of the earlier steps. The evidence of the steps is multiplied.
    """

    weight: float
    canary: int = 0
    stable: int = 0
    before: float = 0.0

    def add(self, canary: int, stable: int) -> Self:
        return replace(self, canary=self.canary + canary, stable=self.stable + stable)

    def at(self, weight: float) -> Self:
        """The evidence at the start of a step with another weight, 0.0 to 1.0."""
        return replace(self, weight=weight, canary=0, stable=0, before=self.log_evidence)

    @property
    def share(self) -> float:
        """The measured share in this step, 0.0 to 1.0; the weight while no requests are counted."""
        requests = self.canary + self.stable
        return self.canary / requests if requests else self.weight

    @property
    def log_evidence(self) -> float:
        """The least evidence against any share within the tolerance."""
        lowest, highest = max(self.weight - SAMPLE_RATIO_TOLERANCE, 0.0), min(self.weight + SAMPLE_RATIO_TOLERANCE, 1.0)
        nearest = min(max(self.share, lowest), highest)
        prior = min(max(self.weight, SAMPLE_RATIO_TOLERANCE), 1 - SAMPLE_RATIO_TOLERANCE) * SAMPLE_RATIO_CONCENTRATION
        return self.before + log_mixture(self.canary, self.stable, nearest, prior, SAMPLE_RATIO_CONCENTRATION - prior)

    def is_mismatch(self, alpha: float) -> bool:
        return self.log_evidence >= -math.log(alpha)


def log_mixture(hits: int, misses: int, rate: float, prior_hits: float = 1.0, prior_misses: float = 1.0) -> float:
    """Log evidence against `rate` (0.0 to 1.0): the mixture of all rates, with a beta prior, divided by this rate."""
    marginal = log_beta(prior_hits + hits, prior_misses + misses) - log_beta(prior_hits, prior_misses)
    return marginal - _times_log(hits, rate) - _times_log(misses, 1 - rate)


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def confidence_sequence(hits: int, misses: int, *, confidence: float) -> tuple[float, float]:
    """The rates (0.0 to 1.0) that the counts do not refute. The confidence is that of all reads together."""
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
