"""What an earlier release left under way at a stack is followed to its end before anything else is decided."""

from clients.aws.cloudformation import Formation
from delivery.environment import Environment
from delivery.stacks.assembly import StackSpec
from delivery.stacks.operations import describe_operator, release_of
from delivery.stacks.state import StackState
from delivery.stacks.status import Standing, standing_of
from tasks.runs.log import progress
from tasks.runs.waiting import poll_until
from tasks.stacks.events import EventLog


def is_under_way(state: StackState | None) -> bool:
    return state is not None and standing_of(state.status) is Standing.WAIT


def follow_predecessor(
    environment: Environment, formation: Formation, stack: StackSpec, state: StackState | None
) -> tuple[StackState | None, str | None]:
    """The stack once a release's operation on it has ended; and the token of one that is still under way.

    Somebody else's operation is not waited for, and a release's no longer than the environment's deadline.
    """
    if state is None or not is_under_way(state):
        return state, None
    token = formation.read_operation(state.arn)
    if token is None or release_of(token) is None:
        return state, token
    progress(f"{stack.id} is in {state.status} by {describe_operator(token)}: its end is waited for first.")
    seen = _wait_for_end(environment, formation, stack, state.arn, token)
    return seen, token if is_under_way(seen) else None


def _wait_for_end(
    environment: Environment, formation: Formation, stack: StackSpec, arn: str, token: str
) -> StackState | None:
    """By its ARN: a deletion that ended leaves none, whoever makes another one of the name."""
    log = EventLog(formation, stack.id, token, arn, None)

    def look() -> StackState | None:
        log()
        return formation.read_stack(arn)

    limits = environment.stacks
    seen, _ = poll_until(look, lambda found: not is_under_way(found), poll=limits.poll, deadline=limits.deadline)
    return seen
