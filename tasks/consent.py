"""What lets a canary go on: proof, or else what the environment wants, the guide's condition or a person's word."""

from datetime import timedelta

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from delivery.environment import Environment
from delivery.errors import NotPromoted
from delivery.manifests import CanaryStep
from delivery.verdict import Action, Move
from tasks.progress import progress


class Decision(RunInput):
    """What a person says when the evidence does not: whether the canary goes on, and why."""

    promote: bool
    reason: str


def require_consent(environment: Environment, step: CanaryStep, move: Move) -> str:
    """The sentence by which the pause may end. Pauses the flow run for a person where the move asks one.

    Raises NotPromoted where that person says no, or nobody answers within the environment's answer_deadline.
    """
    if move.action is not Action.ASK:
        return move.line
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
