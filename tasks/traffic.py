"""One canary step: its weight confirmed at the load balancer, its pause watched, judged and ended."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial

from prefect import task

from clients.metrics import read_periods
from delivery.application import CanaryRun
from delivery.canary import (
    Analysis,
    Period,
    closed_periods,
    describe_judgement,
    describe_period,
    judge,
    periods_within,
)
from delivery.environment import Environment
from delivery.errors import Conflict, NotPromoted, RolloutBroken, Unavailable
from delivery.manifests import CanaryStep
from delivery.reading import Reading
from delivery.release import Event, Release
from delivery.rollout import is_being_cleared, why_moved, why_not_at_pause, why_not_promoted_past
from delivery.verification import Verdict
from tasks.evidence import show_evidence
from tasks.holds import ensure_held
from tasks.journal import append, effect, read_journal
from tasks.progress import progress
from tasks.systems import WRITES, LiveSystem, connect_system
from tasks.waiting import ASKED_AGAIN


@task(**ASKED_AGAIN, task_run_name="confirm {step.weight_percent} % at the load balancer")
def confirm_weight(environment: Environment, canary: CanaryRun, step: CanaryStep) -> None:  # noqa: ARG001
    """The Rollout, the Ingress and every listener rule agree on the step's weight; NotApplied names which does not."""
    connect_system(environment).confirm_share(step.weight_percent)


@task(**ASKED_AGAIN, task_run_name="watch the canary at {step.weight_percent} %")
def watch(environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep) -> Analysis:
    """Run the step's pause and judge it on the periods that closed within it.

    Ends early where a pod of the canary cannot serve. Raises RolloutBroken where somebody else moves the Rollout.
    """
    live = connect_system(environment)
    begin = datetime.now(UTC)
    periods, trouble = watch_periods(live, release, canary, step, begin)
    analysis = judge(periods, min_success_rate=environment.canary.min_success_rate)
    if trouble is not None:
        analysis = Analysis(
            Verdict.FAIL, f"the new revision does not serve: {trouble}", analysis.stable, analysis.canary
        )
    progress(f"{step.weight_percent} %  {analysis.verdict}  {analysis.reason}")
    watched = (datetime.now(UTC) - begin).total_seconds()
    detail = describe_judgement(step.weight_percent, len(periods), watched, analysis)
    append(environment, release, name_of(step), Event.JUDGED, detail)
    show_evidence(environment, release, step, periods, analysis)
    return analysis


def watch_periods(
    live: LiveSystem, release: Release, canary: CanaryRun, step: CanaryStep, begin: datetime
) -> tuple[tuple[Period, ...], str | None]:
    """The closed periods of the pause, each logged as it closes, and why the canary cannot serve, if it cannot."""
    settings = live.environment.canary
    wanted = len(periods_within(begin, begin + settings.pause, settings.period))
    # What the arms are made of stays as it is while a Rollout waits at a pause.
    count = partial(
        read_periods, live.find_load_balancer(), live.find_arms(), live.environment.aws.region, period=settings.period
    )
    closed: tuple[Period, ...] = ()
    while len(closed) < wanted or datetime.now(UTC) < begin + settings.pause:
        time.sleep(settings.poll.total_seconds())
        ensure_held(live.environment, release)
        try:
            if (trouble := look_for_trouble(live, canary, step)) is not None:
                return closed, trouble
            now = datetime.now(UTC)
            # The periods after the pause as well: that they have counts closes the last one of the pause.
            counted = count(starts=periods_within(begin, now, settings.period))
            found = closed_periods(counted, settings.period, now=now)[:wanted]
        except Unavailable as error:
            progress(f"{error} Looking again.")
            require_in_time(error, begin + settings.pause, settings.weight_deadline)
            continue
        for period in found[len(closed) :]:
            progress(f"{step.weight_percent} %  {describe_period(period)}")
        closed = found
    return closed, None


def require_in_time(error: Unavailable, end: datetime, grace: timedelta) -> None:
    """Nobody waits for a service that stays away longer than that after the pause."""
    if datetime.now(UTC) > end + grace:
        raise error


def look_for_trouble(live: LiveSystem, canary: CanaryRun, step: CanaryStep) -> str | None:
    """Why the canary's pods cannot serve; RolloutBroken where it does not wait at the step's pause any more."""
    reading = live.read()
    if (trouble := reading.trouble_of(canary.canary_hash)) is not None:
        return trouble
    if (moved := why_moved(reading, step, canary.canary_hash, canary.stable_hash)) is not None:
        raise RolloutBroken(f"Rollout {reading.name} was watched at {step.weight_percent} %: {moved}.")
    return None


@task(**ASKED_AGAIN, task_run_name="end the pause at {step.weight_percent} %")
def clear_pause(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, analysis: Analysis
) -> None:
    """End this one pause, on proof alone, and follow the Rollout past it.

    Raises NotPromoted for any verdict but PASS, NotApplied where the weight is not the step's any more, RolloutBroken
    where the Rollout does not wait at this pause.
    """
    if analysis.verdict is not Verdict.PASS:
        sentence = f"The canary was not promoted past {step.weight_percent} %: {analysis.reason}."
        raise NotPromoted(sentence, is_failure=analysis.verdict is Verdict.FAIL)
    live = connect_system(environment)
    if not was_ended(live, release, canary, step):
        live.confirm_share(step.weight_percent)
        before = {"revision": canary.canary_hash, "step": step.pause_index, "proof": analysis.reason}
        with effect(environment, release, name_of(step), before) as done:
            end_pause(live, canary.canary_hash, step)
            done.read_back = {"step": live.read().step_index}
    wait_until_left(live, canary.canary_hash, step)


def was_ended(live: LiveSystem, release: Release, canary: CanaryRun, step: CanaryStep) -> bool:
    """Whether the pause is over by an earlier try of ours whose answer was lost. Never trusted without our journal."""
    journal = read_journal(live.environment, release.number)
    has_tried = any(record.step == name_of(step) and record.event is Event.INTENDED for record in journal)
    return has_tried and has_left(live.read(), step, canary.canary_hash)


def has_left(reading: Reading, step: CanaryStep, canary_hash: str) -> bool:
    """Whether the pause has been taken away, noticed by the controller or not."""
    return is_being_cleared(reading) or why_not_promoted_past(reading, step, canary_hash) is None


def end_pause(live: LiveSystem, canary_hash: str, step: CanaryStep) -> None:
    """Take away the pause at which the Rollout stands, by a write that counts for exactly this state of it.

    The step's index is never written: the controller goes on by itself, once, however often this is tried. After a
    lost answer the Rollout tells whether the write arrived.
    """
    is_lost = False
    for _ in range(WRITES):
        try:
            live.patch_rollout(
                {"status": {"pauseConditions": None}},
                lambda reading: why_not_at_pause(reading, step, canary_hash),
                subresource="status",
            )
        except Unavailable as error:
            is_lost = True
            progress(f"{error} Looking whether the pause at {step.weight_percent} % is over.")
        except Conflict as conflict:
            if not (is_lost and has_left(live.read(), step, canary_hash)):
                raise RolloutBroken(f"{conflict} It was to be promoted past {step.weight_percent} %.") from conflict
            return
        else:
            return
    raise Unavailable(f"The pause at {step.weight_percent} % could not be ended: the cluster did not answer.")


def wait_until_left(live: LiveSystem, canary_hash: str, step: CanaryStep) -> None:
    live.wait_until(
        lambda: live.look(canary_hash),
        lambda reading: why_not_promoted_past(reading, step, canary_hash),
        f"the Rollout to leave the pause at {step.weight_percent} %",
        deadline=live.environment.canary.weight_deadline,
    )


def name_of(step: CanaryStep) -> str:
    """The journal's name of a canary step."""
    return f"Canary/{step.weight_percent} %"
