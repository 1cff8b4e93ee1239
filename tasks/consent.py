"""What lets a canary go on: proof, or else what the environment wants, the guide's condition or a person's word."""

from datetime import timedelta

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from delivery.application import CanaryRun
from delivery.environment import Environment
from delivery.errors import NotPromoted
from delivery.evidence import Evidence
from delivery.manifests import CanaryStep
from delivery.release import Release
from delivery.verdict import Action, Move
from tasks.judging import look_once_more
from tasks.progress import progress


class Decision(RunInput):
    """What a person says when the evidence does not: whether the canary goes on, and why."""

    promote: bool
    reason: str


def require_consent(
    environment: Environment, release: Release, canary: CanaryRun, step: CanaryStep, evidence: Evidence, move: Move
) -> tuple[Evidence, str]:
    """The sentence by which the pause may end, and the evidence then. Pauses the flow run where the move asks a person.

    While it is paused nobody looks at the canary, so a yes is followed by one more look, and proof against the canary
    outweighs it. Raises NotPromoted where that is found, where the person says no, or where nobody answers within the
    environment's answer_deadline.
    """
    if move.action is not Action.ASK:
        return evidence, move.line
    consent = ask_for_consent(environment, step, move)
    evidence, seen = look_once_more(environment, release, canary, step, evidence)
    return evidence, f"{consent}; looked at once more after that: {seen.analysis.reason}"


def ask_for_consent(environment: Environment, step: CanaryStep, move: Move) -> str:
    """The move's line with the reason of whoever said yes; NotPromoted where nobody did."""
    progress(f"{step.weight_percent} %: {move.line}, within {environment.canary.answer_deadline}, by resuming this run")
    not_promoted = f"The canary was not promoted past {step.weight_percent} %: {move.line}."
    try:
        decision = ask(move, environment.canary.answer_deadline)
    except FlowPauseTimeout as nobody:
        raise NotPromoted(f"{not_promoted} Nobody answered.", is_failure=False) from nobody
    if not decision.promote:
        raise NotPromoted(f"{not_promoted} The answer was no: {decision.reason}.", is_failure=False)
    return f"{move.line}: {decision.reason}"


def ask(move: Move, deadline: timedelta) -> Decision:
    """The answer of whoever resumes the run; FlowPauseTimeout where nobody does."""
    form = Decision.with_initial_data(description=f"{move.line}. Does the canary go on?")
    return pause_flow_run(wait_for_input=form, timeout=int(deadline.total_seconds()))
