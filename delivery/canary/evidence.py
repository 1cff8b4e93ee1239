"""What the judge knows about a canary: a frozen value that takes one closed period at a time."""

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

THE_CANARY = "the canary"
THE_STABLE_REVISION = "the stable revision"


@dataclass(frozen=True)
class Policy:
    """The settings of the judge, which have the names and the meaning of `[canary]`."""

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
    def longest_pause(self) -> timedelta:
        return self.pause * self.ceiling

    def begin_power_analysis(self) -> PowerAnalysis:
        """The analysis before the first request. Failures alone must be able to prove the minimum detectable effect."""
        return PowerAnalysis(self.minimum_detectable_effect, -math.log(self.alpha * Harm().failures_weight), self.power)


def policy_of(canary: Canary) -> Policy:
    """The settings of the judge among those of `[canary]`."""
    return Policy(**{item.name: getattr(canary, item.name) for item in fields(Policy)})


@dataclass(frozen=True)
class Evidence:
    """Everything that a verdict is based on. Its size does not depend on the number of periods.

    harm, non_inferiority, non_inferiority_slow, power_analysis and canary are of the release; the other counts are of
    the step. complete_sample_ratio: without the periods in which one revision had no counts. read_until: the start of
    the next period to read. pods: the canary's at the start of the step. unreadable: why the last read failed; None if
    it did not. broken: why the canary's pods cannot serve. firing_alarms: the alarms in ALARM at the last read, at
    first those from before the canary; None if the first read sets them. new_alarm: the first alarm that entered
    ALARM since then, with its reason. step_slow: None if slow requests are not counted. ambiguous_at: the times at
    which it was unknown which revision is counted where.
    """

    policy: Policy
    weight_percent: int
    started_at: datetime
    harm: Harm
    non_inferiority: RatioTest
    non_inferiority_slow: RatioTest | None
    power_analysis: PowerAnalysis
    sample_ratio: SampleRatio
    complete_sample_ratio: SampleRatio
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
    new_alarm: str | None = None
    ambiguous_at: tuple[datetime, ...] = ()

    @classmethod
    def begin(
        cls, policy: Policy, weight_percent: int, now: datetime, *, firing_alarms: frozenset[str] | None = None
    ) -> Self:
        """The evidence at the start of a release's first step."""
        sample_ratio = SampleRatio(weight_percent / 100)
        return cls(
            policy=policy,
            weight_percent=weight_percent,
            started_at=now,
            harm=Harm(),
            non_inferiority=non_inferiority_test(policy.non_inferiority_ratio),
            non_inferiority_slow=None,
            power_analysis=policy.begin_power_analysis(),
            sample_ratio=sample_ratio,
            complete_sample_ratio=sample_ratio,
            read_until=now,
            firing_alarms=firing_alarms,
        )

    def begin_step(self, weight_percent: int, now: datetime) -> Self:
        """The evidence at the start of the next step, whose weight is confirmed. What is proven stays proven."""
        sample_ratio = self.sample_ratio.at(weight_percent / 100)
        return replace(
            self,
            weight_percent=weight_percent,
            started_at=now,
            read_until=now,
            sample_ratio=sample_ratio,
            complete_sample_ratio=sample_ratio,
            step_stable=Counts(),
            step_canary=Counts(),
            step_slow=None,
            periods=0,
            data_until=None,
        )

    def observe(self, period: Period) -> Self:
        """The evidence after one more closed period. Invalid or lost counts are not added."""
        missing = self._missing_revision(period)
        reason = why_invalid(period) or (self._why_lost(period, missing) if missing else None)
        if reason:
            return self.skip(period, reason)
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
        return after._add_sample_ratio(period, missing)._compare(period.stable, period.canary, period.slow)

    def skip(self, period: Period, reason: str) -> Self:
        """The evidence after a closed period that is not added."""
        return replace(self.mark_unreadable(reason), read_until=period.start + self.policy.period)

    def why_read_again(self, period: Period, now: datetime) -> str | None:
        """Why the period has to be read again: its counts are late. None: observe it as it is.

        The judge waits once more for the policy's lateness. A period in which neither revision has counts is late only
        if the step already has counts.
        """
        until = period.start + self.policy.period + 2 * self.policy.lateness
        missing = self._missing_revision(period)
        is_silent = self.data_until is not None and not period.has_data
        if now >= until or why_invalid(period) or not (missing or is_silent):
            return None
        what = _no_counts(missing, period) if missing else f"no requests were counted at {period.start:%H:%M:%S} UTC"
        return f"{what}; the counts are late, waiting for them until {until:%H:%M:%S} UTC"

    def mark_unreadable(self, reason: str) -> Self:
        """The evidence after a failed read or invalid counts. The reason applies until the next valid period."""
        return replace(self, unreadable=reason)

    def mark_ambiguous(self, now: datetime) -> Self:
        """The evidence when it is unknown which revision is counted where. Periods to be read later need this time."""
        return replace(self, ambiguous_at=(*(at for at in self.ambiguous_at if at >= self.read_until), now))

    def mark_broken(self, reason: str) -> Self:
        return replace(self, broken=reason)

    def update_alarms(self, firing_alarms: Mapping[str, str]) -> Self:
        """firing_alarms: name -> reason of each alarm in ALARM now. One from before the canary does not count."""
        known = frozenset(firing_alarms) if self.firing_alarms is None else self.firing_alarms
        new_alarm = self.new_alarm or next(iter(find_newly_firing(known, firing_alarms)), None)
        return replace(self, firing_alarms=frozenset(firing_alarms), new_alarm=new_alarm)

    def _missing_revision(self, period: Period) -> str | None:
        """The revision without counts, if the other has too many requests for this to be chance; None: neither."""
        share, limit = self.complete_sample_ratio.share, -math.log(self.policy.sample_ratio_alpha)
        canary, stable = period.canary.requests, period.stable.requests
        for revision, own, others, expected in (
            (THE_CANARY, canary, stable, share),
            (THE_STABLE_REVISION, stable, canary, 1 - share),
        ):
            if not own and -others * math.log1p(-min(expected, 0.99)) > limit:
                return revision
        return None

    def _why_lost(self, period: Period, missing: str) -> str | None:
        """Why a period cannot be used: its revision had counts before in this step, so these counts are lost.

        None: the revision never had counts, so the weight may not be in force.
        """
        before = self.step_canary if missing == THE_CANARY else self.step_stable
        return _no_counts(missing, period) if before.requests else None

    def _add_sample_ratio(self, period: Period, missing: str | None) -> Self:
        """Once both revisions have counts, the periods without one of them no longer count: its counts were late."""
        counts = period.canary.requests, period.stable.requests
        complete = self.complete_sample_ratio if missing else self.complete_sample_ratio.add(*counts)
        sample_ratio = complete if all(counts) else self.sample_ratio.add(*counts)
        return replace(self, complete_sample_ratio=complete, sample_ratio=sample_ratio)

    def _compare(self, stable: Counts, canary: Counts, slow: Slow | None) -> Self:
        failures = Hits.failures(stable, canary)
        slow_hits = Hits(stable.requests, canary.requests, slow.stable, slow.canary) if slow else None
        non_inferiority_slow = self.non_inferiority_slow
        if slow_hits:
            before = non_inferiority_slow or non_inferiority_test(self.policy.non_inferiority_ratio)
            non_inferiority_slow = before.add(slow_hits)
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
        return now - (self.data_until or self.started_at) > STALE_PERIODS * self.policy.period + self.policy.lateness


def find_newly_firing(known: Collection[str], firing_alarms: Mapping[str, str]) -> list[str]:
    """`name (reason)` of each alarm that is in ALARM and not among the known ones."""
    return [f"{name} ({firing_alarms[name]})" for name in sorted(firing_alarms.keys() - set(known))]


def why_invalid(period: Period) -> str | None:
    """Why these cannot be counts of requests: NaN, negative, or more hits than requests. None: they can."""
    slow = period.slow or Slow()
    revisions = ((THE_STABLE_REVISION, period.stable, slow.stable), (THE_CANARY, period.canary, slow.canary))
    for revision, counts, slow_requests in revisions:
        numbers = (counts.requests, counts.failures, slow_requests)
        possible = all(math.isfinite(number) and number >= 0 for number in numbers)
        if not possible or max(numbers) > counts.requests:
            given = f"{counts.requests} requests, {counts.failures} failures, {slow_requests} slow"
            return f"the counts of {revision} at {period.start:%H:%M:%S} UTC are invalid: {given}"
    return None


def _no_counts(revision: str, period: Period) -> str:
    return f"no requests were counted for {revision} at {period.start:%H:%M:%S} UTC, but the other revision has counts"
