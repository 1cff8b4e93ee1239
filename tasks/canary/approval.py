"""What lets a canary go on: proof, or else what the environment wants, the guide's condition or a person's word."""

import time
from collections.abc import Callable

from prefect import task
from prefect.runtime import flow_run

from delivery.application.planning import CanaryRun
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import Move, PauseAction
from delivery.environment import Environment
from delivery.errors import NotPromoted
from delivery.release import Release
from delivery.rollout.manifests import CanaryStep
from tasks.canary.approval_form import Decision, Question, asking
from tasks.canary.watch import Watch, check_after_approval
from tasks.rollout.live import connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN


def require_approval(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, evidence: Evidence, move: Move
) -> tuple[Evidence, str]:
    """The sentence by which the pause may end, and the evidence then. Pauses the flow run where the move asks a person.

    The canary is watched while it is paused, and proof against it ends the question. A yes is followed by one more
    look, in which everything must be seen: the last one before it may have failed. Raises NotPromoted where there is
    such proof, where the person says no, or where nobody answers within the environment's approval_timeout, and what
    watching raises.
    """
    if move.action is not PauseAction.ASK:
        return evidence, move.line
    evidence, approval = request_approval(environment, release, canary, step, evidence, move)
    evidence, seen = check_after_approval(environment, release, canary, step, evidence)
    return evidence, f"{approval}; looked at once more after that: {seen.analysis.reason}"


@task(**ASKED_AGAIN, task_run_name="ask a person about the canary at {step.weight_percent} %")
def request_approval(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, evidence: Evidence, move: Move
) -> tuple[Evidence, str]:
    """The evidence when a person said yes, and the move's line with their reason."""
    watch = Watch.resume(connect_rollout(environment), release, canary, step, evidence)
    approval = wait_for_approval(environment, step, move, watch.watch_during_approval)
    return watch.evidence, approval


def wait_for_approval(environment: Environment, step: CanaryStep, move: Move, look: Callable[[], None]) -> str:
    """The move's line with the reason of whoever said yes; NotPromoted where nobody did.

    look: at the canary, every poll until somebody answers; what it raises ends the question.
    """
    deadline = environment.canary.approval_timeout
    progress(
        f"{step.weight_percent} %: {move.line}. Answer within {deadline}: Resume at {flow_run.ui_url}, with promote "
        "and a reason. Where nobody does, the canary is taken back."
    )
    not_promoted = f"The canary was not promoted past {step.weight_percent} %: {move.line}."
    with asking(f"{move.line}. Does the canary go on?", deadline) as question:
        decision = watch_until_decided(environment, question, look)
        if decision is None:
            raise NotPromoted(f"{not_promoted} Nobody answered.", is_failure=False)
    if not decision.promote:
        raise NotPromoted(f"{not_promoted} The answer was no: {decision.reason}.", is_failure=False)
    return f"{move.line}: {decision.reason}"


def watch_until_decided(environment: Environment, question: Question, look: Callable[[], None]) -> Decision | None:
    """None where nobody answers within the environment's approval_timeout."""
    end = time.monotonic() + environment.canary.approval_timeout.total_seconds()
    while (decision := question.read_answer()) is None and (left := end - time.monotonic()) > 0:
        time.sleep(min(environment.canary.poll.total_seconds(), left))
        look()
    return decision
