"""The canary's share of the traffic: confirmed at the load balancer, and moved on by ending a pause."""

from prefect import task

from delivery.application.planning import CanaryRun
from delivery.environment import Environment
from delivery.errors import Conflict, RolloutBroken, Unavailable
from delivery.journal.step_names import canary_step
from delivery.release import Event, Release
from delivery.rollout.conditions import is_being_cleared, why_not_at_pause, why_not_promoted_past
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.rollout.live import WRITES, LiveRollout, connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.journal import effect, read_journal


@task(**ASKED_AGAIN, task_run_name="confirm {step.weight_percent} % at the load balancer")
def confirm_weight(environment: Environment, canary: CanaryRun, step: CanaryStep) -> None:  # noqa: ARG001
    """The Rollout, the Ingress and every listener rule agree on the step's weight; NotApplied names which does not."""
    connect_rollout(environment).wait_for_weight(step.weight_percent)


@task(**ASKED_AGAIN, task_run_name="end the pause at {step.weight_percent} %")
def clear_pause(environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, approval: str) -> None:
    """End this one pause and follow the Rollout past it. consent: the sentence by which it may end, for the journal.

    Raises NotApplied where the weight is not the step's any more, RolloutBroken where the Rollout does not wait at this
    pause.
    """
    live = connect_rollout(environment)
    if not was_ended(live, release, canary, step):
        live.wait_for_weight(step.weight_percent)
        before = {"revision": canary.canary_hash, "step": step.pause_index, "consent": approval}
        with effect(environment, release, canary_step(step), before) as done:
            end_pause(live, release, canary.canary_hash, step)
            done.read_back = {"step": live.read().step_index}
    wait_until_left(live, canary.canary_hash, step)


def was_ended(live: LiveRollout, release: Release, canary: CanaryRun, step: CanaryStep) -> bool:
    """Whether the pause is over by an earlier try of ours whose answer was lost. Never trusted without our journal."""
    journal = read_journal(live.environment, release.number)
    has_tried = any(record.step == canary_step(step) and record.event is Event.INTENDED for record in journal)
    return has_tried and has_left(live.read(), step, canary.canary_hash)


def has_left(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> bool:
    """Whether the pause has been taken away, noticed by the controller or not."""
    return is_being_cleared(snapshot) or why_not_promoted_past(snapshot, step, canary_hash) is None


def end_pause(live: LiveRollout, release: Release, canary_hash: str, step: CanaryStep) -> None:
    """Take away the pause at which the Rollout stands, by a write that counts for exactly this state of it.

    The step's index is never written: the controller goes on by itself, once, however often this is tried. After a
    lost answer the Rollout tells whether the write arrived. Raises LockLost or StopRequested before each write.
    """
    is_lost = False
    for _ in range(WRITES):
        try:
            live.patch_status(
                release, {"pauseConditions": None}, lambda snapshot: why_not_at_pause(snapshot, step, canary_hash)
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


def wait_until_left(live: LiveRollout, canary_hash: str, step: CanaryStep) -> None:
    live.wait_until(
        lambda: live.look(canary_hash),
        lambda snapshot: why_not_promoted_past(snapshot, step, canary_hash),
        f"the Rollout to leave the pause at {step.weight_percent} %",
        deadline=live.environment.canary.weight_deadline,
    )
