"""How much traffic is enough to detect the minimum detectable effect."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Self

from delivery.canary.sequential import RATIOS, log_mean_exp
from delivery.canary.settings import MinimumDetectableEffect

# No service has this many requests during a canary. The search for the required number stops here.
MOST_REQUESTS = 1 << 40
_ZEROS = (0.0,) * len(RATIOS)


@dataclass(frozen=True)
class PowerAnalysis:
    """The evidence to expect from the requests so far if the canary had the minimum detectable effect.

    means, variances: of the log-likelihood ratio, for each of the judge's rate ratios. threshold: the logarithm of the
    evidence that is proof. power: the probability (0.0 to 1.0) with which there must be proof.
    """

    effect: MinimumDetectableEffect
    threshold: float
    power: float
    means: tuple[float, ...] = _ZEROS
    variances: tuple[float, ...] = _ZEROS

    def add(self, canary: float, stable: float) -> Self:
        """The analysis after more requests to the two revisions, which can differ in their shares."""
        if not (canary and stable):
            return self
        share = canary / (canary + stable)
        canary_failures, stable_failures = canary * self.effect.canary, stable * self.effect.stable
        bases = [math.log1p(share * (ratio - 1)) for ratio in RATIOS]
        gains = [math.log(ratio) - base for ratio, base in zip(RATIOS, bases, strict=True)]
        terms = list(zip(gains, bases, strict=True))
        means = [canary_failures * gain - stable_failures * base for gain, base in terms]
        variances = [canary_failures * gain**2 + stable_failures * base**2 for gain, base in terms]
        return replace(self, means=_sums(self.means, means), variances=_sums(self.variances, variances))

    @property
    def is_enough(self) -> bool:
        """Whether the lower quantile of the evidence at this power (normal approximation) is proof."""
        evidence = log_mean_exp(self.means)
        weights = [math.exp(mean - evidence) / len(RATIOS) for mean in self.means]
        deviation = sum(weight * math.sqrt(variance) for weight, variance in zip(weights, self.variances, strict=True))
        return evidence - NormalDist().inv_cdf(self.power) * deviation >= self.threshold

    def requests_missing(self, share: float) -> int | None:
        """How many more requests to both revisions are needed while the canary gets this share (0.0 to 1.0) of them.

        None: no number of requests is enough.
        """
        if self.is_enough:
            return 0
        per_request = replace(self, means=_ZEROS, variances=_ZEROS).add(share, 1 - share)

        def would_be_enough(requests: int) -> bool:
            return self._add_times(per_request, requests).is_enough

        enough = 1
        while not would_be_enough(enough):
            enough *= 2
            if enough > MOST_REQUESTS:
                return None
        return bisect_left(range(enough), True, lo=enough // 2, key=would_be_enough)

    def _add_times(self, more: "PowerAnalysis", times: int) -> Self:
        """This analysis with the requests of another one, added this many times."""
        return replace(
            self,
            means=tuple(mean + times * other for mean, other in zip(self.means, more.means, strict=True)),
            variances=tuple(mean + times * other for mean, other in zip(self.variances, more.variances, strict=True)),
        )


def _sums(left: Sequence[float], right: Sequence[float]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))
