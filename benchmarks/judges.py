"""The canary judge and three common ones, for comparison. Each gets one closed period at a time."""

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Protocol

from scipy.stats import mannwhitneyu

from benchmarks.policy import production_policy
from delivery.canary.counts import Counts
from delivery.canary.evidence import Policy
from delivery.canary.sequential import Harm, Hits
from delivery.canary.verdict import is_success_rate_refuted

LEVEL = 0.01
SIGNIFICANT = NormalDist().inv_cdf(1 - LEVEL)
PERIODS_PER_STEP = 10


class Judge(Protocol):
    """Reads one period of both revisions and returns whether it aborts the canary."""

    def aborts(self, stable: Counts, canary: Counts) -> bool: ...


@dataclass
class Evidence:
    """Slipway's judge: proven harm or a refuted success rate, only at the end of a step if both revisions miss it."""

    policy: Policy = field(default_factory=production_policy)
    harm: Harm = field(default_factory=Harm)
    canary: Counts = field(default_factory=Counts)
    stable: Counts = field(default_factory=Counts)
    periods: int = 0

    def aborts(self, stable: Counts, canary: Counts) -> bool:
        is_first_of_step = self.periods % PERIODS_PER_STEP == 0
        self.stable = stable if is_first_of_step else self.stable + stable
        self.periods, self.canary = self.periods + 1, self.canary + canary
        self.harm = self.harm.add(Hits.failures(stable, canary))
        is_stable_better = self.stable.success_rate >= self.policy.min_success_rate
        is_last_of_step = self.periods % PERIODS_PER_STEP == 0
        is_refuted = (is_stable_better or is_last_of_step) and is_success_rate_refuted(self.canary, self.policy)
        return is_refuted or self.harm.is_proven(self.policy.alpha)


class Threshold:
    """More than 5 % of a minute's requests to the canary failed."""

    def aborts(self, stable: Counts, canary: Counts) -> bool:
        del stable  # This judge reads only the canary.
        return canary.failures > 0.05 * canary.requests


@dataclass
class MannWhitney:
    """The canary's failure rates per minute against the stable revision's, at the end of each step. One-sided, 1 %."""

    stable: list[float] = field(default_factory=list)
    canary: list[float] = field(default_factory=list)

    def aborts(self, stable: Counts, canary: Counts) -> bool:
        self.stable.append(1 - stable.success_rate)
        self.canary.append(1 - canary.success_rate)
        if len(self.stable) < PERIODS_PER_STEP:
            return False
        # Rates are often tied, and the exact method does not support ties.
        found = mannwhitneyu(self.canary, self.stable, alternative="greater", method="asymptotic")
        self.stable, self.canary = [], []
        return bool(found.pvalue < LEVEL)


@dataclass
class ZTest:
    """Two proportions of all requests so far, read each minute as if it were read only once. One-sided, 1 %."""

    stable: Counts = field(default_factory=Counts)
    canary: Counts = field(default_factory=Counts)

    def aborts(self, stable: Counts, canary: Counts) -> bool:
        self.stable, self.canary = self.stable + stable, self.canary + canary
        if not (self.stable.requests and self.canary.requests):
            return False
        rate = 1 - (self.stable + self.canary).success_rate
        variance = rate * (1 - rate) * (1 / self.stable.requests + 1 / self.canary.requests)
        worse = self.stable.success_rate - self.canary.success_rate
        return variance > 0 and worse / math.sqrt(variance) > SIGNIFICANT


JUDGES: dict[str, type[Judge]] = {
    "evidence": Evidence,
    "5 % in a minute": Threshold,
    "Mann-Whitney": MannWhitney,
    "z-test": ZTest,
}
