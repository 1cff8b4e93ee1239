"""How much traffic would have shown the smallest harm worth catching."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Self

from delivery.canary.sequential import RATIOS, log_mean_exp
from delivery.canary.settings import MinimumDetectableEffect

# No service sees this many requests in a canary; a search beyond it has no answer worth printing.
MOST_REQUESTS = 1 << 40
_NOTHING = (0.0,) * len(RATIOS)


@dataclass(frozen=True)
class PowerAnalysis:
    """What the requests seen so far would have said about the smallest harm, had it been there.

    means, variances: of the log-likelihood ratio of each of the judge's rate ratios. threshold: the evidence, as a
    logarithm, that would have been proof. power: 0.0 to 1.0, with which the proof was to be there.
    """

    harm: MinimumDetectableEffect
    threshold: float
    power: float
    means: tuple[float, ...] = _NOTHING
    variances: tuple[float, ...] = _NOTHING

    def add(self, canary: float, stable: float) -> Self:
        """The power after more requests per arm; periods of different shares add up."""
        if not (canary and stable):
            return self
        share = canary / (canary + stable)
        hits, others = canary * self.harm.canary, stable * self.harm.stable
        spreads = [math.log1p(share * (ratio - 1)) for ratio in RATIOS]
        gains = [math.log(ratio) - spread for ratio, spread in zip(RATIOS, spreads, strict=True)]
        means = [hits * gain - others * spread for gain, spread in zip(gains, spreads, strict=True)]
        variances = [hits * gain**2 + others * spread**2 for gain, spread in zip(gains, spreads, strict=True)]
        return replace(self, means=_sums(self.means, means), variances=_sums(self.variances, variances))

    @property
    def is_enough(self) -> bool:
        """Whether the evidence's lower quantile at this chance, in the normal approximation, is proof."""
        evidence = log_mean_exp(self.means)
        weights = [math.exp(mean - evidence) / len(RATIOS) for mean in self.means]
        deviation = sum(weight * math.sqrt(variance) for weight, variance in zip(weights, self.variances, strict=True))
        return evidence - NormalDist().inv_cdf(self.power) * deviation >= self.threshold

    def requests_missing(self, share: float) -> int | None:
        """How many more requests of both arms are needed while the canary gets this share; None: no number does."""

        if self.is_enough:
            return 0
        more = replace(self, means=_NOTHING, variances=_NOTHING).add(share, 1 - share)

        def would_do(requests: int) -> bool:
            return self._with(more, requests).is_enough

        enough = 1
        while not would_do(enough):
            enough *= 2
            if enough > MOST_REQUESTS:
                return None
        return bisect_left(range(enough), True, lo=enough // 2, key=would_do)

    def _with(self, more: "PowerAnalysis", times: int) -> Self:
        """What `more` has seen, added so many times over."""
        return replace(
            self,
            means=tuple(mean + times * other for mean, other in zip(self.means, more.means, strict=True)),
            variances=tuple(mean + times * other for mean, other in zip(self.variances, more.variances, strict=True)),
        )


def _sums(left: Sequence[float], right: Sequence[float]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))
