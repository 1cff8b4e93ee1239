"""Watch and judge one canary step, period by period, until its evidence ends the pause."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Self

from prefect import task

from clients.aws.metrics import LoadBalancerCounts
from delivery.application.planning import CanaryRun
from delivery.canary.counts import Period, contains_any, periods_within
from delivery.canary.evidence import Evidence, policy_of
from delivery.canary.record import describe_end
from delivery.canary.verdict import Judgement, PauseAction, Verdict, describe_pending_approval, judge_pause
from delivery.context import ReleaseContext
from delivery.errors import NotApplied, NotPromoted, RolloutBroken, Unavailable
from delivery.fields import format_duration
from delivery.rollout.conditions import why_moved, why_not_available
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.pod_health import why_worse
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import TargetGroups, WeightSource, describe_differing
from tasks.canary.record import ProgressBar, record_judgement
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.observation import Observation, collecting_unavailable
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED
from tasks.state.lock import require_lock


@task(**RETRIED, task_run_name="watch the canary at {step.weight_percent} %")
def watch(
    context: ReleaseContext, canary: CanaryRun, step: CanaryStep, before: Evidence | None
) -> tuple[Evidence, Judgement]:
    """Judge the canary until the pause ends. Returns the evidence, and the judgement that ends the pause.

    before: the evidence of the release's earlier steps; None at the first one. The weight of the step is confirmed.
    Raises NotPromoted with the verdict if the canary is to be rolled back, NotApplied if its weight is no longer in
    force, RolloutBroken if another process changes the Rollout.
    """
    watch = Watch.begin(connect_rollout(context.environment), context, canary, step, before)
    judgement = watch.run_pause()
    watch.record(judgement)
    if judgement.action in (PauseAction.ABORT, PauseAction.ROLL_BACK):
        sentence = describe_end(step.weight_percent, judgement)
        raise NotPromoted(sentence, is_failure=judgement.analysis.verdict is Verdict.FAIL)
    return watch.evidence, judgement


@task(**RETRIED, task_run_name="check the canary at {step.weight_percent} % after the approval")
def check_after_approval(
    context: ReleaseContext, canary: CanaryRun, step: CanaryStep, before: Evidence
) -> tuple[Evidence, Judgement]:
    """The evidence and the judgement after one more check of everything.

    before: the step's evidence at the time of the approval. Raises NotPromoted if there is proof against the canary
    now, despite the approval, and Unavailable if not everything can be read.
    """
    watch, now = Watch.resume(connect_rollout(context.environment), context, canary, step, before), datetime.now(UTC)
    unread = watch.check_sources(now)
    judgement = judge_pause(watch.evidence, now)
    watch.raise_if_failed(judgement, "This overrides the approval.")
    if unread:
        raise Unavailable(f"{unread}.")
    return watch.evidence, judgement


@dataclass
class ConditionTimer:
    """How long a condition has been true. since: the first of the checks in a row at which it was true."""

    since: datetime | None = None

    def record(self, is_true: bool, now: datetime, limit: timedelta) -> bool:
        """Record whether the condition is true now. Returns whether it has been true for the limit."""
        self.since = (self.since or now) if is_true else None
        return self.since is not None and now - self.since >= limit


@dataclass
class Watch:
    """A canary step in progress.

    weight_differs: a weight source states another weight. pods_missing: the canary has too few pods. reported_verdict:
    the last one that was reported during an approval.
    """

    live: LiveRollout
    context: ReleaseContext
    canary: CanaryRun
    step: CanaryStep
    evidence: Evidence
    bar: ProgressBar
    weight_differs: ConditionTimer = field(default_factory=ConditionTimer)
    pods_missing: ConditionTimer = field(default_factory=ConditionTimer)
    weight_sources: tuple[WeightSource, ...] = ()
    reported_verdict: Verdict = Verdict.INCONCLUSIVE

    @classmethod
    def begin(
        cls, live: LiveRollout, context: ReleaseContext, canary: CanaryRun, step: CanaryStep, before: Evidence | None
    ) -> Self:
        """The step from now on. Requests before the confirmation of its weight are not its evidence."""
        pods, now = live.read().pods_of(canary.canary_hash), datetime.now(UTC)
        policy = policy_of(live.environment.canary)
        evidence = (
            before.begin_step(step.weight_percent, now)
            if before
            else Evidence.begin(policy, step.weight_percent, now, firing_alarms=canary.firing_before)
        )
        watch = cls.resume(live, context, canary, step, replace(evidence, pods=pods))
        watch.check_alarms()
        return watch

    @classmethod
    def resume(
        cls, live: LiveRollout, context: ReleaseContext, canary: CanaryRun, step: CanaryStep, evidence: Evidence
    ) -> Self:
        """The step from the end of its evidence on."""
        return cls(live, context, canary, step, evidence, ProgressBar(context, step))

    @cached_property
    def source(self) -> LoadBalancerCounts:
        """The counts of the load balancer, which is looked up at the first read: a failure affects only the counts."""
        settings, region = self.live.environment.canary, self.live.environment.aws.region
        return LoadBalancerCounts(self.live.find_load_balancer(), region, settings.period, settings.slow_after)

    def run_pause(self) -> Judgement:
        """The judgement that ends the pause. Until then, reports a line for each period."""
        judgement = judge_pause(self.evidence, datetime.now(UTC))
        while judgement.action is PauseAction.WAIT:
            time.sleep(self.live.environment.canary.poll.total_seconds())
            before, now = (self.evidence.read_until, self.evidence.unreadable), datetime.now(UTC)
            self.check(now)
            # Judged as of the start of the check, so that a slow check does not make its counts stale.
            judgement = judge_pause(self.evidence, now)
            if before != (self.evidence.read_until, self.evidence.unreadable):
                self.report(judgement, now)
        return judgement

    def check_during_approval(self) -> None:
        """Check the canary, and report its verdict if it changed. Raises NotPromoted if there is proof against it."""
        read_until, now = self.evidence.read_until, datetime.now(UTC)
        self.check(now)
        judgement = judge_pause(self.evidence, now)
        self.raise_if_failed(judgement, "The approval was still pending.")
        if judgement.analysis.verdict is not self.reported_verdict:
            progress(describe_pending_approval(self.evidence, judgement.analysis))
            self.reported_verdict = judgement.analysis.verdict
        if read_until != self.evidence.read_until:
            self.bar.show(self.evidence, judgement, now)

    def raise_if_failed(self, judgement: Judgement, approval: str) -> None:
        """Raises NotPromoted if there is proof against the canary. approval: a sentence about the approval."""
        if judgement.analysis.verdict is Verdict.FAIL:
            self.record(judgement)
            raise NotPromoted(f"{describe_end(self.step.weight_percent, judgement)} {approval}", is_failure=True)

    def report(self, judgement: Judgement, now: datetime) -> None:
        if judgement.action is PauseAction.WAIT:
            progress(judgement.line)
        self.bar.show(self.evidence, judgement, now)

    def record(self, judgement: Judgement) -> None:
        record_judgement(self.context, self.step, self.evidence, judgement, self.weight_sources, datetime.now(UTC))

    def check(self, now: datetime) -> None:
        """Add what changed since the last check to the evidence. While a source cannot be read, nothing is promoted."""
        if unread := self.check_sources(now):
            self.evidence = self.evidence.mark_unreadable(unread)

    def check_sources(self, now: datetime) -> str | None:
        """Check each source, even if another one cannot be read. Returns what could not be read; None if all was read.

        A lost lock, a stop request and a Rollout that another process changed end the check.
        """
        unread: list[str] = []
        observation = self.live.observe()
        with collecting_unavailable(unread):
            require_lock(self.context)
        with collecting_unavailable(unread):
            self.check_rollout(observation.rollout, now)
            # Weight and counts need the cluster too. If it does not answer, each further read would time out.
            with collecting_unavailable(unread):
                self.check_weight(observation.read_weight_sources(), now)
            with collecting_unavailable(unread):
                self.read_counts(now, self.find_target_groups(observation, now))
        with collecting_unavailable(unread):
            self.check_alarms()
        return "; ".join(unread) or None

    def check_rollout(self, snapshot: RolloutSnapshot, now: datetime) -> None:
        """Check the canary's pods. Raises RolloutBroken if another process changed the Rollout."""
        canary_hash, missing = self.canary.canary_hash, self.why_pods_missing(snapshot, now)
        worse = why_worse(self.evidence.pods, snapshot.pods_of(canary_hash))
        failure = snapshot.failure_of(canary_hash) or worse or missing
        if failure is not None:
            diagnostics = self.live.read_diagnostics(snapshot, canary_hash)
            self.evidence = self.evidence.mark_broken(f"{failure}.{diagnostics}".rstrip("."))
        elif (moved := why_moved(snapshot, self.step, canary_hash, self.canary.stable_hash)) is not None:
            raise RolloutBroken(
                f"Rollout {snapshot.name} changed in the pause at {self.step.weight_percent} %: {moved}."
            )

    def why_pods_missing(self, snapshot: RolloutSnapshot, now: datetime) -> str | None:
        """Why the canary has too few pods for its weight, after a time in which the pods of a drained node restart."""
        why = why_not_available(snapshot, self.canary.canary_hash, self.step.weight_percent)
        limit = self.live.environment.canary.mismatch_deadline
        return f"for {format_duration(limit)}, {why}" if self.pods_missing.record(why is not None, now, limit) else None

    def check_weight(self, weight_sources: tuple[WeightSource, ...], now: datetime) -> None:
        """Raises NotApplied if the weight differs for so long that no controller will correct it."""
        self.weight_sources, limit = weight_sources, self.live.environment.canary.mismatch_deadline
        differing = describe_differing(weight_sources, self.step.weight_percent)
        if self.weight_differs.record(differing is not None, now, limit):
            raise NotApplied(
                f"The canary's weight differed from {self.step.weight_percent} % for {format_duration(limit)}: "
                f"{differing}. The requests counted since then cannot be used."
            )

    def check_alarms(self) -> None:
        self.evidence = self.evidence.update_alarms(self.live.read_firing_alarms())

    def find_target_groups(self, observation: Observation, now: datetime) -> TargetGroups:
        """The target groups that count each revision now. Raises Unavailable if that is unknown."""
        try:
            return observation.find_counted_target_groups(self.canary.stable_hash, self.canary.canary_hash)
        except Unavailable:
            self.evidence = self.evidence.mark_ambiguous(now)
            raise

    def read_counts(self, now: datetime, target_groups: TargetGroups) -> None:
        """Add each period once, after its counts are final or the judge has waited long enough for them."""
        settings = self.live.environment.canary
        closed = periods_within(self.evidence.read_until, now - settings.lateness, settings.period)
        for period in self.source.read(target_groups, closed):
            if late := self.evidence.why_read_again(period, now):
                self.evidence = self.evidence.mark_unreadable(late)
                return
            self.evidence = self.add_period(period)

    def add_period(self, period: Period) -> Evidence:
        """The evidence with one more period, or without it if a Service selected another revision during the period."""
        settings = self.live.environment.canary
        if contains_any(period.start, settings.period, self.evidence.ambiguous_at, settings.poll):
            return self.evidence.skip(period, "it is unknown which revision got the counted requests")
        return self.evidence.observe(period)
