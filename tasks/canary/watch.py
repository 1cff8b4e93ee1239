"""One canary step watched and judged, period by period, until its evidence says how its pause ends."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Self

from prefect import task

from clients.aws.metrics import LoadBalancerCounts
from delivery.application.planning import CanaryRun
from delivery.canary.counts import Period, is_touched, periods_within
from delivery.canary.evidence import Evidence, policy_of
from delivery.canary.verdict import Move, PauseAction, Verdict, describe_pending_approval, next_move
from delivery.environment import Environment
from delivery.errors import NotApplied, NotPromoted, RolloutBroken, Unavailable
from delivery.release import Release
from delivery.rollout.conditions import why_moved, why_not_available
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.pod_health import why_worse
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import Arms, WeightSource, why_not_weight
from tasks.canary.record import ProgressBar, record_judgement
from tasks.rollout.live import LiveRollout, Observation, collecting_unavailable, connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.lock import ensure_locked


@task(**ASKED_AGAIN, task_run_name="watch the canary at {step.weight_percent} %")
def watch(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, before: Evidence | None
) -> tuple[Evidence, Move]:
    """Run the step's pause until its evidence ends it, and say by which move.

    before: what the release's earlier steps have shown; None at the first, whose weight has been read back. Raises
    NotPromoted with the verdict where the canary goes back, NotApplied where its weight does not stay, RolloutBroken
    where somebody else moves the Rollout.
    """
    watch = Watch.begin(connect_rollout(environment), release, canary, step, before)
    move = watch.follow()
    watch.record(move)
    if move.action in (PauseAction.ABORT, PauseAction.REVERT):
        sentence = f"The canary was not promoted past {step.weight_percent} %: {move.line}."
        raise NotPromoted(sentence, is_failure=move.analysis.verdict is Verdict.FAIL)
    return watch.evidence, move


@task(**ASKED_AGAIN, task_run_name="look once more at the canary at {step.weight_percent} %")
def check_after_approval(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, before: Evidence
) -> tuple[Evidence, Move]:
    """What the canary has shown by now, everything looked at, and how it would be judged.

    before: the step's evidence when a person said yes. Raises NotPromoted where there is proof against the canary
    now, whatever the person said, and Unavailable where not everything can be looked at.
    """
    watch, now = Watch.resume(connect_rollout(environment), release, canary, step, before), datetime.now(UTC)
    unread = watch.look_at_everything(now)
    move = next_move(watch.evidence, now)
    watch.refuse_proof(move, "though a person wanted it")
    if unread:
        raise Unavailable(f"{unread}.")
    return watch.evidence, move


@dataclass
class Lasting:
    """Since when something has been so at every look."""

    since: datetime | None = None

    def see(self, is_so: bool, now: datetime, long: timedelta) -> bool:
        """Whether it has been so for long by now."""
        self.since = (self.since or now) if is_so else None
        return self.since is not None and now - self.since >= long


@dataclass
class Watch:
    """A step under way. differs: the weight is another one. lacks: the canary has too few pods. told: while a person is
    asked, the verdict that the run said last.
    """

    live: LiveRollout
    release: Release
    canary: CanaryRun
    step: CanaryStep
    evidence: Evidence
    bar: ProgressBar
    differs: Lasting = field(default_factory=Lasting)
    lacks: Lasting = field(default_factory=Lasting)
    weight_sources: tuple[WeightSource, ...] = ()
    told: Verdict = Verdict.INCONCLUSIVE

    @classmethod
    def begin(
        cls, live: LiveRollout, release: Release, canary: CanaryRun, step: CanaryStep, before: Evidence | None
    ) -> Self:
        """The step from now on: what was counted before its weight was read back is not its evidence."""
        pods, now = live.read().pods_of(canary.canary_hash), datetime.now(UTC)
        policy = policy_of(live.environment.canary)
        evidence = (
            before.begin_step(step.weight_percent, now)
            if before
            else Evidence.begin(policy, step.weight_percent, now, firing_alarms=canary.firing_before)
        )
        watch = cls.resume(live, release, canary, step, replace(evidence, pods=pods))
        watch.look_at_alarms()
        return watch

    @classmethod
    def resume(
        cls, live: LiveRollout, release: Release, canary: CanaryRun, step: CanaryStep, evidence: Evidence
    ) -> Self:
        """The step from where its evidence ends."""
        return cls(live, release, canary, step, evidence, ProgressBar(live.environment, release, step))

    @cached_property
    def source(self) -> LoadBalancerCounts:
        """What counts the requests of both arms. Looked for with them: until it is found, all else is looked at."""
        settings, region = self.live.environment.canary, self.live.environment.aws.region
        return LoadBalancerCounts(self.live.find_load_balancer(), region, settings.period, settings.slow_after)

    def follow(self) -> Move:
        """The move that ends the pause; until then a line for each period."""
        move = next_move(self.evidence, datetime.now(UTC))
        while move.action is PauseAction.WAIT:
            time.sleep(self.live.environment.canary.poll.total_seconds())
            told, now = (self.evidence.read_until, self.evidence.unreadable), datetime.now(UTC)
            self.look(now)
            # Judged as of when the look began: what a slow look takes does not make its counts stale.
            move = next_move(self.evidence, now)
            if told != (self.evidence.read_until, self.evidence.unreadable):
                self.tell(move, now)
        return move

    def watch_during_approval(self) -> None:
        """A look while a person decides: a line where the verdict is another one now; NotPromoted by refuse_proof."""
        read_until, now = self.evidence.read_until, datetime.now(UTC)
        self.look(now)
        move = next_move(self.evidence, now)
        self.refuse_proof(move, "while a person was asked")
        if move.analysis.verdict is not self.told:
            progress(describe_pending_approval(self.evidence, move.analysis))
            self.told = move.analysis.verdict
        if read_until != self.evidence.read_until:
            self.bar.show(self.evidence, move, now)

    def refuse_proof(self, move: Move, meanwhile: str) -> None:
        """Raises NotPromoted where there is proof against the canary, whatever a person says."""
        if move.analysis.verdict is Verdict.FAIL:
            self.record(move)
            stopped = f"The canary was not promoted past {self.step.weight_percent} %, {meanwhile}: {move.line}."
            raise NotPromoted(stopped, is_failure=True)

    def tell(self, move: Move, now: datetime) -> None:
        if move.action is PauseAction.WAIT:
            progress(move.line)
        self.bar.show(self.evidence, move, now)

    def record(self, move: Move) -> None:
        environment, now = self.live.environment, datetime.now(UTC)
        record_judgement(environment, self.release, self.step, self.evidence, move, self.weight_sources, now)

    def look(self, now: datetime) -> None:
        """Take in what changed since the last look; while anything cannot be read, nothing is promoted."""
        if unread := self.look_at_everything(now):
            self.evidence = self.evidence.cannot_read(unread)

    def look_at_everything(self, now: datetime) -> str | None:
        """Take in what each source shows, whatever the others do; what could not be read, None where all was.

        A lost hold, a stop and a Rollout that somebody moved end the look.
        """
        unread: list[str] = []
        seen = self.live.observe()
        with collecting_unavailable(unread):
            ensure_locked(self.live.environment, self.release)
        with collecting_unavailable(unread):
            self.read_rollout_check(seen.rollout, now)
            # Without the cluster neither can be told, and a cluster that is away takes its time not to answer.
            with collecting_unavailable(unread):
                self.look_at_weight(seen.read_weight_sources(), now)
            with collecting_unavailable(unread):
                self.look_at_counts(now, self.find_arms(seen, now))
        with collecting_unavailable(unread):
            self.look_at_alarms()
        return "; ".join(unread) or None

    def read_rollout_check(self, snapshot: RolloutSnapshot, now: datetime) -> None:
        pods, lacks = snapshot.pods_of(self.canary.canary_hash), self.why_lacking(snapshot, now)
        trouble = snapshot.trouble_of(self.canary.canary_hash) or why_worse(self.evidence.pods, pods) or lacks
        if trouble is not None:
            words = self.live.last_words(snapshot, self.canary.canary_hash)
            self.evidence = self.evidence.pods_broke(f"{trouble}.{words}".rstrip("."))
        elif (moved := why_moved(snapshot, self.step, self.canary.canary_hash, self.canary.stable_hash)) is not None:
            raise RolloutBroken(f"Rollout {snapshot.name} was watched at {self.step.weight_percent} %: {moved}.")

    def why_lacking(self, snapshot: RolloutSnapshot, now: datetime) -> str | None:
        """Why the canary has too few pods for its weight, once that has lasted: a drained node's pods come back."""
        why = why_not_available(snapshot, self.canary.canary_hash, self.step.weight_percent)
        longest = self.live.environment.canary.mismatch_deadline
        return f"for {longest} {why}" if self.lacks.see(why is not None, now, longest) else None

    def look_at_weight(self, weight_sources: tuple[WeightSource, ...], now: datetime) -> None:
        """A weight may differ while a controller repairs it; NotApplied where it does not."""
        self.weight_sources = weight_sources
        why = why_not_weight(self.weight_sources, self.step.weight_percent)
        longest = self.live.environment.canary.mismatch_deadline
        if self.differs.see(why is not None, now, longest):
            raise NotApplied(
                f"The canary's weight of {self.step.weight_percent} % was confirmed and has not been in force for "
                f"{longest}: {why}. What was counted meanwhile proves nothing."
            )

    def look_at_alarms(self) -> None:
        self.evidence = self.evidence.see_alarms(self.live.read_firing_alarms())

    def find_arms(self, seen: Observation, now: datetime) -> Arms:
        """Which target groups count which revision now; Unavailable where nobody can tell."""
        try:
            return seen.find_counted_arms(self.canary.stable_hash, self.canary.canary_hash)
        except Unavailable:
            self.evidence = self.evidence.cannot_tell(now)
            raise

    def look_at_counts(self, now: datetime, arms: Arms) -> None:
        """Each period once, when its counts can no longer change, or were awaited for long enough."""
        settings = self.live.environment.canary
        closed = periods_within(self.evidence.read_until, now - settings.lateness, settings.period)
        for period in self.source.read(arms, closed):
            if awaited := self.evidence.why_awaited(period, now):
                self.evidence = self.evidence.cannot_read(awaited)
                return
            self.evidence = self.take_in(period)

    def take_in(self, period: Period) -> Evidence:
        """The evidence with one more period, or without it where a Service selected another revision within it."""
        settings = self.live.environment.canary
        if is_touched(period.start, settings.period, self.evidence.unsure, settings.poll):
            return self.evidence.pass_over(period, "which revision was counted could not be told")
        return self.evidence.observe(period)
