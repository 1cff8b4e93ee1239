"""What promotes a canary: proof, or what on_inconclusive says: the guide's condition or a person's approval."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from prefect import task
from prefect.runtime import flow_run

from delivery.application.planning import CanaryRun
from delivery.canary.evidence import Evidence
from delivery.canary.record import describe_end
from delivery.canary.verdict import Judgement, PauseAction
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import NotPromoted
from delivery.fields import format_duration
from delivery.rollout.manifests import CanaryStep
from tasks.canary.approval_form import ApprovalRequest, Decision, NoDecision, requesting_approval
from tasks.canary.watch import Watch, check_after_approval
from tasks.rollout.live import connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED


def require_approval(
    context: ReleaseContext, canary: CanaryRun, step: CanaryStep, evidence: Evidence, judgement: Judgement
) -> tuple[Evidence, str]:
    """The evidence, and the sentence that allows the end of the pause. If a person must decide, the flow run pauses.

    While the flow run is paused, the canary is watched, and proof against it ends the request. After an approval,
    everything is checked once more, and this check must read every source, because the last one before may have failed.
    Raises NotPromoted if there is such proof, if the person rejects, or if there is no decision within the
    environment's approval_timeout, and whatever the checks raise.
    """
    if judgement.action is not PauseAction.AWAIT_APPROVAL:
        return evidence, judgement.line
    evidence, approval = request_approval(context, canary, step, evidence, judgement)
    evidence, checked = check_after_approval(context, canary, step, evidence)
    return evidence, f"{approval}; checked once more after the approval: {checked.analysis.reason}"


@task(**RETRIED, task_run_name="wait for approval at {step.weight_percent} %")
def request_approval(
    context: ReleaseContext, canary: CanaryRun, step: CanaryStep, evidence: Evidence, judgement: Judgement
) -> tuple[Evidence, str]:
    """The evidence at the time of the approval, and the judgement's line with the reason for the approval."""
    watch = Watch.resume(connect_rollout(context.environment), context, canary, step, evidence)
    approval = wait_for_approval(context.environment, step, judgement, watch.check_during_approval)
    return watch.evidence, approval


def wait_for_approval(
    environment: Environment, step: CanaryStep, judgement: Judgement, check: Callable[[], None]
) -> str:
    """The judgement's line with the reason for the approval. Raises NotPromoted without an approval.

    check: checks the canary, once per poll until there is a decision. What it raises ends the request.
    """
    timeout, weight_percent, line = environment.canary.approval_timeout, step.weight_percent, judgement.line
    progress(
        f"{weight_percent} %: {line}. Waiting for approval until {datetime.now(UTC) + timeout:%H:%M:%S} UTC: open "
        f"{flow_run.ui_url}, select Resume, set promote to true (approve) or false (reject), and enter a reason. "
        "Without a decision, the canary is rolled back."
    )
    not_promoted, limit = describe_end(weight_percent, judgement), format_duration(timeout)
    rolled_back = f"Without a decision within {limit}, it is rolled back."
    with requesting_approval(f"{line}. Promote the canary past {weight_percent} %? {rolled_back}", timeout) as request:
        decision = watch_until_decided(environment, request, check)
        if decision is None:
            raise NotPromoted(f"{not_promoted} There was no decision within {limit}.", is_failure=False)
    if not decision.promote:
        answer = "No approval" if isinstance(decision, NoDecision) else "The approval was rejected"
        raise NotPromoted(f"{not_promoted} {answer}: {decision.reason}.", is_failure=False)
    return f"{line}; approved: {decision.reason}"


def watch_until_decided(
    environment: Environment, request: ApprovalRequest, check: Callable[[], None]
) -> Decision | None:
    """None if there is no decision within the environment's approval_timeout."""
    end = time.monotonic() + environment.canary.approval_timeout.total_seconds()
    while (decision := request.read_decision()) is None and (left := end - time.monotonic()) > 0:
        time.sleep(min(environment.canary.poll.total_seconds(), left))
        check()
    return decision
