"""The weight of a canary step, confirmed at the load balancer, and the end of its pause."""

from prefect import task

from delivery.application.planning import CanaryRun
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Conflict, RolloutBroken, Unavailable
from delivery.journal.step_names import canary_step
from delivery.release import Event
from delivery.rollout.conditions import is_pause_being_cleared, why_not_at_pause, why_not_promoted_past
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.rollout.live import WRITE_ATTEMPTS, LiveRollout, connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED
from tasks.state.journal import effect, read_journal


@task(**RETRIED, task_run_name="confirm the weight of {step.weight_percent} %")
def confirm_weight(environment: Environment, step: CanaryStep) -> None:
    """Wait until all weight sources state the weight of the step. Raises NotApplied that names those that differ."""
    connect_rollout(environment).wait_for_weight(step.weight_percent)


@task(**RETRIED, task_run_name="end the pause at {step.weight_percent} %")
def clear_pause(context: ReleaseContext, canary: CanaryRun, step: CanaryStep, approval: str) -> None:
    """End the pause of the step, and wait until the Rollout is past it.

    approval: why the pause may end, as a sentence for the journal. Raises NotApplied if the weight has changed, and
    RolloutBroken if the Rollout is not at this pause.
    """
    promote_past(connect_rollout(context.environment), context, canary, step, approval)


def promote_past(
    live: LiveRollout, context: ReleaseContext, canary: CanaryRun, step: CanaryStep, approval: str
) -> None:
    """As clear_pause. It can be repeated: a pause that an earlier try of this release has ended is not ended again."""
    if not was_ended_before(live, context, canary, step):
        live.wait_for_weight(step.weight_percent)
        before = {"revision": canary.canary_hash, "step": step.pause_index, "approval": approval}
        with effect(context, canary_step(step), before) as done:
            end_pause(live, context, canary.canary_hash, step)
            done.read_back = {"step": live.read().step_index}
    wait_until_past_pause(live, canary.canary_hash, step)


def was_ended_before(live: LiveRollout, context: ReleaseContext, canary: CanaryRun, step: CanaryStep) -> bool:
    """Whether an earlier try of this release ended the pause, according to its journal and to the Rollout.

    Without a record in the journal, another writer has ended the pause.
    """
    journal = read_journal(live.environment, context.release.number)
    has_tried = any(record.step == canary_step(step) and record.event is Event.INTENDED for record in journal)
    return has_tried and is_past_pause(live.read(), step, canary.canary_hash)


def is_past_pause(snapshot: RolloutSnapshot, step: CanaryStep, canary_hash: str) -> bool:
    """Whether the pause was cleared, even if the controller has not observed it yet."""
    return is_pause_being_cleared(snapshot) or why_not_promoted_past(snapshot, step, canary_hash) is None


def end_pause(live: LiveRollout, context: ReleaseContext, canary_hash: str, step: CanaryStep) -> None:
    """Clear the pause, only if the Rollout is at this pause.

    The step index is not written, so the controller continues by one step, however often this is repeated. If the
    answer to a write is lost, the Rollout shows whether it arrived. Raises LockLost or StopRequested before each write.
    """
    is_answer_lost = False
    for _ in range(WRITE_ATTEMPTS):
        try:
            live.patch_status(
                context, {"pauseConditions": None}, lambda snapshot: why_not_at_pause(snapshot, step, canary_hash)
            )
        except Unavailable as error:
            is_answer_lost = True
            progress(f"{error} Checking whether the pause at {step.weight_percent} % has ended.")
        except Conflict as conflict:
            if not (is_answer_lost and is_past_pause(live.read(), step, canary_hash)):
                raise RolloutBroken(f"{conflict} It was not promoted past {step.weight_percent} %.") from conflict
            return
        else:
            return
    raise Unavailable(
        f"The cluster did not answer {WRITE_ATTEMPTS} requests to end the pause at {step.weight_percent} %. "
        "It is unknown whether the pause has ended."
    )


def wait_until_past_pause(live: LiveRollout, canary_hash: str, step: CanaryStep) -> None:
    live.wait_until(
        lambda: live.read_unless_broken(canary_hash),
        lambda snapshot: why_not_promoted_past(snapshot, step, canary_hash),
        f"the Rollout to leave the pause at {step.weight_percent} %",
        deadline=live.environment.canary.weight_deadline,
    )
