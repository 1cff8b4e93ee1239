"""One canary step watched and judged, period by period, until its evidence says how its pause ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

from prefect import task

from clients.metrics import read_periods
from delivery.application import CanaryRun
from delivery.canary import Period, periods_within
from delivery.environment import Environment
from delivery.errors import NotApplied, NotPromoted, RolloutBroken, Unavailable
from delivery.evidence import Evidence, policy_of
from delivery.manifests import CanaryStep
from delivery.pods import Pod
from delivery.readiness import why_worse
from delivery.reading import Reading
from delivery.release import Release
from delivery.rollout import why_moved
from delivery.verdict import Action, Move, Verdict, next_move
from delivery.weights import Witness, why_not_weight
from tasks.analysis import ProgressBar, record_judgement
from tasks.holds import ensure_held
from tasks.progress import progress
from tasks.systems import LiveSystem, connect_system
from tasks.waiting import ASKED_AGAIN


@task(**ASKED_AGAIN, task_run_name="watch the canary at {step.weight_percent} %")
def watch(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, before: Evidence | None
) -> tuple[Evidence, Move]:
    """Run the step's pause until its evidence ends it, and say by which move.

    before: what the release's earlier steps have shown; None at the first, whose weight has been read back. Raises
    NotPromoted with the verdict where the canary goes back, NotApplied where its weight does not stay, RolloutBroken
    where somebody else moves the Rollout.
    """
    watch = Watch.begin(connect_system(environment), release, canary, step, before)
    move = watch.follow()
    record_judgement(environment, release, watch.evidence, move, watch.witnesses, datetime.now(UTC))
    if move.action in (Action.ABORT, Action.REVERT):
        sentence = f"The canary was not promoted past {step.weight_percent} %: {move.line}."
        raise NotPromoted(sentence, is_failure=move.analysis.verdict is Verdict.FAIL)
    return watch.evidence, move


@dataclass
class Watch:
    """A step under way. read: counts of periods that begin then. counted: of them, so many are in the evidence.

    pods: as they were at first. differs_since: when the weight was first seen to be another one, while it is.
    """

    live: LiveSystem
    release: Release
    canary: CanaryRun
    step: CanaryStep
    evidence: Evidence
    read: Callable[..., tuple[Period, ...]]
    pods: tuple[Pod, ...]
    bar: ProgressBar
    counted: int = 0
    differs_since: datetime | None = None
    witnesses: tuple[Witness, ...] = ()

    @classmethod
    def begin(
        cls, live: LiveSystem, release: Release, canary: CanaryRun, step: CanaryStep, before: Evidence | None
    ) -> Self:
        """The step from now on: what was counted before its weight was read back is not its evidence."""
        environment, settings = live.environment, live.environment.canary
        # What the arms are made of stays as it is while a Rollout waits at a pause.
        read = partial(
            read_periods,
            live.find_load_balancer(),
            live.find_arms(),
            environment.aws.region,
            period=settings.period,
            slow_after=settings.slow_after,
        )
        pods, now = live.read().pods_of(canary.canary_hash), datetime.now(UTC)
        evidence = (
            before.begin_step(step.weight_percent, now)
            if before
            else Evidence.begin(policy_of(settings), step.weight_percent, now, ringing=canary.rang_before)
        )
        watch = cls(live, release, canary, step, evidence, read, pods, ProgressBar(environment, release))
        watch.look_at_alarms()
        return watch

    def follow(self) -> Move:
        """The move that ends the pause; until then a line for each period."""
        move = next_move(self.evidence, datetime.now(UTC))
        while move.action is Action.WAIT:
            time.sleep(self.live.environment.canary.poll.total_seconds())
            told, now = (self.counted, self.evidence.unreadable), datetime.now(UTC)
            self.look(now)
            # Judged as of when the look began: what a slow look takes does not make its counts stale.
            move = next_move(self.evidence, now)
            if told != (self.counted, self.evidence.unreadable):
                self.tell(move, now)
        return move

    def tell(self, move: Move, now: datetime) -> None:
        if move.action is Action.WAIT:
            progress(move.line)
        self.bar.show(self.evidence, move, now)

    def look(self, now: datetime) -> None:
        """Take in what changed since the last look; a service that does not answer is a source that cannot be read."""
        try:
            ensure_held(self.live.environment, self.release)
            self.look_at_rollout(self.live.read())
            self.look_at_weight(now)
            self.look_at_alarms()
            self.look_at_counts(now)
        except Unavailable as error:
            self.evidence = self.evidence.cannot_read(str(error).rstrip("."))

    def look_at_rollout(self, reading: Reading) -> None:
        pods = reading.pods_of(self.canary.canary_hash)
        trouble = reading.trouble_of(self.canary.canary_hash) or why_worse(self.pods, pods)
        if trouble is not None:
            self.evidence = self.evidence.pods_broke(trouble)
        elif (moved := why_moved(reading, self.step, self.canary.canary_hash, self.canary.stable_hash)) is not None:
            raise RolloutBroken(f"Rollout {reading.name} was watched at {self.step.weight_percent} %: {moved}.")

    def look_at_weight(self, now: datetime) -> None:
        """A weight may differ while a controller repairs it; NotApplied where it does not."""
        self.witnesses = self.live.call_witnesses()
        why = why_not_weight(self.witnesses, self.step.weight_percent)
        self.differs_since = (self.differs_since or now) if why else None
        longest = self.live.environment.canary.mismatch_deadline
        if self.differs_since and now - self.differs_since >= longest:
            raise NotApplied(
                f"The canary's weight of {self.step.weight_percent} % was confirmed and has not been in force for "
                f"{longest}: {why}. What was counted meanwhile proves nothing."
            )

    def look_at_alarms(self) -> None:
        self.evidence = self.evidence.see_alarms(self.live.read_ringing())

    def look_at_counts(self, now: datetime) -> None:
        """Each period once, when its counts can no longer change."""
        settings = self.live.environment.canary
        closed = periods_within(self.evidence.begun, now - settings.lateness, settings.period)
        for period in self.read(starts=closed[self.counted :]):
            self.evidence = self.evidence.observe(period)
            self.counted += 1
