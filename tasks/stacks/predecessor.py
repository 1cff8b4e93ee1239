"""The operation of an earlier release on a stack is followed to its end before anything else is decided."""

from clients.aws.cloudformation import CloudFormation
from delivery.environment import Environment
from delivery.stacks.assembly import StackSpec
from delivery.stacks.operations import describe_operator, release_of
from delivery.stacks.state import StackState
from delivery.stacks.status import StatusClass, classify
from tasks.runs.log import progress
from tasks.runs.waiting import poll_until
from tasks.stacks.events import EventLog


def is_in_progress(state: StackState | None) -> bool:
    return state is not None and classify(state.status) is StatusClass.IN_PROGRESS


def follow_predecessor(
    environment: Environment, cloudformation: CloudFormation, stack: StackSpec, state: StackState | None
) -> tuple[StackState | None, str | None]:
    """The stack after the end of a release's operation on it, and the token of an operation that is still in progress.

    It waits only for the operation of a release, at most until the deadline of the environment.
    """
    if state is None or not is_in_progress(state):
        return state, None
    token = cloudformation.read_operation(state.arn)
    if token is None or release_of(token) is None:
        return state, token
    progress(f"{stack.id} is in {state.status}, started by {describe_operator(token)}. Waiting for its end.")
    found = _wait_for_end(environment, cloudformation, stack, state.arn, token)
    return found, token if is_in_progress(found) else None


def _wait_for_end(
    environment: Environment, cloudformation: CloudFormation, stack: StackSpec, arn: str, token: str
) -> StackState | None:
    """The stack by its ARN: after a deletion there is none, even if a new stack has the same name."""
    log = EventLog(cloudformation, stack.id, token, arn, None)

    def read() -> StackState | None:
        log()
        return cloudformation.read_stack(arn)

    limits = environment.stacks
    found, _ = poll_until(read, lambda state: not is_in_progress(state), poll=limits.poll, deadline=limits.deadline)
    return found
