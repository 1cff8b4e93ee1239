"""What a canary has shown so far: a frozen value that takes one closed period at a time."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Self

from delivery.canary.counts import STALE_PERIODS, Counts, Period, Slow
from delivery.canary.power import PowerAnalysis
from delivery.canary.sequential import Harm, Hits, RatioTest, SampleRatio, non_inferiority_test
from delivery.canary.settings import Canary, MinimumDetectableEffect, OnInconclusive
from delivery.rollout.pods import Pod


@dataclass(frozen=True)
class Policy:
    """What the judge goes by; its numbers and their meaning are those of the environment's `[canary]`."""

    pause: timedelta
    period: timedelta
    ceiling: float
    lateness: timedelta
    min_success_rate: float
    confidence: float
    alpha: float
    sample_ratio_alpha: float
    non_inferiority_ratio: float
    minimum_detectable_effect: MinimumDetectableEffect
    power: float
    on_inconclusive: OnInconclusive

    @property
    def longest(self) -> timedelta:
        return self.pause * self.ceiling

    def begin_power_analysis(self) -> PowerAnalysis:
        """Before any request; failures alone must be able to prove the smallest harm."""
        return PowerAnalysis(self.minimum_detectable_effect, -math.log(self.alpha * Harm().failures_weight), self.power)


def policy_of(canary: Canary) -> Policy:
    """The judge's part of an environment's settings."""
    return Policy(**{item.name: getattr(canary, item.name) for item in fields(Policy)})


@dataclass(frozen=True)
class Evidence:
    """Everything that the judge rests on; as large after ten thousand periods as after one.

    harm, harmless, power and canary are the release's; the other counts are the step's. whole: the split without the
    periods that lacked an arm. read_until: where the next period to read begins. pods: the canary's, as the step began.
    unreadable: why the source could not be read last time; None while it can. broken: why the canary's pods cannot
    serve. firing_alarms: those in ALARM when last read, at first those from before the canary; None: the first read
    tells them. alarm: the one that began to ring since, with its reason. step_slow: None while nobody counted slow
    requests. unsure: when it was seen that nobody could tell which revision is counted where, of late.
    """

    policy: Policy
    weight_percent: int
    begun: datetime
    harm: Harm
    non_inferiority: RatioTest
    non_inferiority_slow: RatioTest | None
    power_analysis: PowerAnalysis
    sample_ratio: SampleRatio
    whole: SampleRatio
    read_until: datetime
    pods: tuple[Pod, ...] = ()
    canary: Counts = field(default_factory=Counts)
    step_stable: Counts = field(default_factory=Counts)
    step_canary: Counts = field(default_factory=Counts)
    step_slow: Slow | None = None
    periods: int = 0
    data_until: datetime | None = None
    unreadable: str | None = None
    broken: str | None = None
    firing_alarms: frozenset[str] | None = None
    alarm: str | None = None
    unsure: tuple[datetime, ...] = ()

    @classmethod
    def begin(
        cls, policy: Policy, weight_percent: int, now: datetime, *, firing_alarms: frozenset[str] | None = None
    ) -> Self:
        """The evidence of a release's first step, before any period."""
        split = SampleRatio(weight_percent / 100)
        return cls(
            policy=policy,
            weight_percent=weight_percent,
            begun=now,
            harm=Harm(),
            non_inferiority=non_inferiority_test(policy.non_inferiority_ratio),
            non_inferiority_slow=None,
            power_analysis=policy.begin_power_analysis(),
            sample_ratio=split,
            whole=split,
            read_until=now,
            firing_alarms=firing_alarms,
        )

    def begin_step(self, weight_percent: int, now: datetime) -> Self:
        """The same release at its next weight, read back: what was proved stays proved."""
        split = self.sample_ratio.at(weight_percent / 100)
        return replace(
            self,
            weight_percent=weight_percent,
            begun=now,
            read_until=now,
            sample_ratio=split,
            whole=split,
            step_stable=Counts(),
            step_canary=Counts(),
            step_slow=None,
            periods=0,
            data_until=None,
        )

    def observe(self, period: Period) -> Self:
        """The evidence after one more closed period; what cannot be counts, or lacks an arm, is not added."""
        missing = self._missing_arm(period)
        why = why_impossible(period) or (self._why_lost(period, missing) if missing else None)
        if why:
            return self.pass_over(period, why)
        end = period.start + self.policy.period
        after = replace(
            self,
            read_until=end,
            unreadable=None,
            periods=self.periods + 1,
            step_stable=self.step_stable + period.stable,
            step_canary=self.step_canary + period.canary,
            step_slow=(self.step_slow or Slow()) + period.slow if period.slow else self.step_slow,
            canary=self.canary + period.canary,
            data_until=end if period.has_data else self.data_until,
        )
        return after._split(period, missing)._compare(period.stable, period.canary, period.slow)

    def pass_over(self, period: Period, why: str) -> Self:
        """The evidence after a closed period that is not to be added."""
        return replace(self.cannot_read(why), read_until=period.start + self.policy.period)

    def why_awaited(self, period: Period, now: datetime) -> str | None:
        """Why the period is to be read once more: counts are late. None: it is to be observed as it is.

        It is awaited for as long again as the policy's lateness. Before anything was counted in a step, nothing is
        missed.
        """
        until = period.start + self.policy.period + 2 * self.policy.lateness
        missing = self._missing_arm(period)
        is_silent = self.data_until is not None and not period.has_data
        if now >= until or why_impossible(period) or not (missing or is_silent):
            return None
        what = _nothing_of(missing, period) if missing else f"nothing was counted at {period.start:%H:%M:%S} UTC"
        return f"{what}: late, and awaited until {until:%H:%M:%S} UTC"

    def cannot_read(self, why: str) -> Self:
        """The source answered with an error or with what cannot be counts; lasts until the next good period."""
        return replace(self, unreadable=why)

    def cannot_tell(self, now: datetime) -> Self:
        """Nobody can tell now which revision is counted where; kept for the periods that are still to be read."""
        return replace(self, unsure=(*(at for at in self.unsure if at >= self.read_until), now))

    def pods_broke(self, why: str) -> Self:
        return replace(self, broken=why)

    def see_alarms(self, firing_alarms: Mapping[str, str]) -> Self:
        """firing_alarms: name -> reason of each alarm in ALARM now. One from before the canary does not count."""
        known = frozenset(firing_alarms) if self.firing_alarms is None else self.firing_alarms
        news = find_newly_firing(known, firing_alarms)
        return replace(self, firing_alarms=frozenset(firing_alarms), alarm=self.alarm or (news[0] if news else None))

    def _missing_arm(self, period: Period) -> str | None:
        """The arm of which nothing was counted, where the other had too many requests for chance; None: neither is."""
        share, surely = self.whole.share, -math.log(self.policy.sample_ratio_alpha)
        arms = (("new", period.canary, period.stable, share), ("stable", period.stable, period.canary, 1 - share))
        for arm, counts, others, expected in arms:
            if not counts.requests and -others.requests * math.log1p(-min(expected, 0.99)) > surely:
                return arm
        return None

    def _why_lost(self, period: Period, missing: str) -> str | None:
        """Why a period cannot be used: its arm was counted before in this step, so that its counts are lost.

        None: nothing was ever counted for it, and the weight may not be honoured.
        """
        before = self.step_canary if missing == "new" else self.step_stable
        return _nothing_of(missing, period) if before.requests else None

    def _split(self, period: Period, missing: str | None) -> Self:
        """An arm that is counted at last was late before, not without its share: what lacked it counts no more."""
        counts = period.canary.requests, period.stable.requests
        whole = self.whole if missing else self.whole.add(*counts)
        return replace(self, whole=whole, sample_ratio=whole if all(counts) else self.sample_ratio.add(*counts))

    def _compare(self, stable: Counts, canary: Counts, slow: Slow | None) -> Self:
        failures = Hits.failures(stable, canary)
        slow_hits = Hits(stable.requests, canary.requests, slow.stable, slow.canary) if slow else None
        non_inferiority_slow = self.non_inferiority_slow
        if slow_hits:
            non_inferiority_slow = (
                non_inferiority_slow or non_inferiority_test(self.policy.non_inferiority_ratio)
            ).add(slow_hits)
        return replace(
            self,
            harm=self.harm.add(failures, slow_hits),
            non_inferiority=self.non_inferiority.add(failures),
            non_inferiority_slow=non_inferiority_slow,
            power_analysis=self.power_analysis.add(canary.requests, stable.requests),
        )

    @property
    def is_non_inferior(self) -> bool:
        """Whether each signal that is counted proves the canary less than `non_inferiority_ratio` times as bad."""
        tests = [self.non_inferiority, *([self.non_inferiority_slow] if self.non_inferiority_slow else [])]
        return all(test.log_evidence >= -math.log(self.policy.alpha) for test in tests)

    def is_stale(self, now: datetime) -> bool:
        until = self.data_until or self.begun
        return now - until > STALE_PERIODS * self.policy.period + self.policy.lateness


def find_newly_firing(known: Collection[str], firing_alarms: Mapping[str, str]) -> list[str]:
    """`name (reason)` of each alarm that rings and did not before."""
    return [f"{name} ({firing_alarms[name]})" for name in sorted(firing_alarms.keys() - set(known))]


def _nothing_of(arm: str, period: Period) -> str:
    return f"nothing was counted for the {arm} revision at {period.start:%H:%M:%S} UTC, though the other had data"


def why_impossible(period: Period) -> str | None:
    """Why these cannot be counts of requests: NaN, negative, or more hits than requests. None: they can."""
    slow = period.slow or Slow()
    arms = (("stable", period.stable, slow.stable), ("canary", period.canary, slow.canary))
    for arm, counts, slow_requests in arms:
        numbers = (counts.requests, counts.failures, slow_requests)
        possible = all(math.isfinite(number) and number >= 0 for number in numbers)
        if not possible or max(numbers) > counts.requests:
            return f"the {arm} revision's counts at {period.start:%H:%M:%S} UTC are no counts: {numbers}"
    return None
