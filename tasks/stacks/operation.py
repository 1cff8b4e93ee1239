"""The operation of one release on one stack: prepare the change set, execute it, follow its events."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from clients.aws.cloudformation import ChangeSet, CloudFormation
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotFound, StackFailed, Unavailable
from delivery.fields import format_duration
from delivery.plan import StepAction
from delivery.stacks.assembly import StackSpec
from delivery.stacks.operations import describe_operator
from delivery.stacks.planning import data_losses, needs_protection
from delivery.stacks.progress import StackOutcome, end_of, outcome_of_stack, stack_failed
from delivery.stacks.state import StackState
from delivery.stacks.status import READ_EVENTS, StatusClass, advice_for, can_be_updated, classify
from tasks.runs.waiting import poll_until
from tasks.stacks.change_sets import wait_until_created
from tasks.stacks.events import EventLog, log_outcome
from tasks.stacks.predecessor import follow_predecessor, is_in_progress
from tasks.state.journal import Effect

Found = TypeVar("Found")
# In polls, so that it is shorter in an environment with shorter waits.
START_POLLS = 24
LONGEST_START = timedelta(minutes=2)


@dataclass(frozen=True)
class StackOperation:
    """token: the name of the change set and the client request token of its execution, the same for each attempt."""

    environment: Environment
    stack: StackSpec
    cloudformation: CloudFormation
    token: str

    def deploy(self, record: Callable[[dict[str, Any]], AbstractContextManager[Effect]]) -> StackOutcome:
        """Bring the stack to its template, or follow the operation that an earlier attempt started.

        record: a context around the change, made with the state of the stack before it.
        """
        state = self.cloudformation.read_stack(self.stack.name)
        was_started = self._was_started(state)
        state = state if was_started else self._wait_until_idle(state)
        change_set = None if was_started else self._prepare(state)
        if state and change_set and self._is_nothing_to_do(state, change_set):
            return self._leave_unchanged(state, change_set)
        with record(self._state_before(state, was_started)) as effect:
            outcome = self._run(state, change_set, was_started)
            effect.read_back = outcome.model_dump(mode="json")
        return outcome

    def _was_started(self, state: StackState | None) -> bool:
        """Whether an earlier attempt started the operation. It may have ended."""
        return state is not None and bool(self.cloudformation.read_events(state.arn, self.token))

    def _wait_until_idle(self, state: StackState | None) -> StackState | None:
        """The stack without an operation in progress: the operation of an earlier release is followed to its end.

        Raises Conflict if another client changes the stack, or if the operation does not end in time.
        """
        idle, operation = follow_predecessor(self.environment, self.cloudformation, self.stack, state)
        if idle and is_in_progress(idle):
            raise Conflict(self._describe_status(idle, f", started by {describe_operator(operation)}"))
        return idle

    def _prepare(self, state: StackState | None) -> ChangeSet | None:
        """The change set of an existing stack. None for a new stack, because its change set creates the stack.

        state: without an operation in progress. Raises StackFailed if the stack accepts no change set.
        """
        status_class = classify(state.status if state else None)
        if state is None or status_class in (StatusClass.ABSENT, StatusClass.DELETE_FIRST):
            return None
        if not can_be_updated(state.status):
            raise StackFailed(self._describe_status(state))
        return self._open(is_new=False)

    def _describe_status(self, state: StackState, started_by: str = "") -> str:
        stack = self.stack
        return (
            f"{stack.id}: stack {stack.name} is in {state.status}{started_by}. {advice_for(stack.name, state.status)}"
        )

    def _is_nothing_to_do(self, state: StackState, change_set: ChangeSet) -> bool:
        return change_set.has_no_changes and not needs_protection(self.stack, state)

    def _leave_unchanged(self, state: StackState, change_set: ChangeSet) -> StackOutcome:
        self.cloudformation.delete_change_set(change_set.arn)
        return log_outcome(outcome_of_stack(self.stack, state, StepAction.NOTHING))

    def _state_before(self, state: StackState | None, was_started: bool) -> dict[str, Any]:
        """The stack before the operation, for the journal. An earlier attempt already recorded it."""
        if state is None:
            return {"exists": False}
        if was_started:
            return {"was_started": True, "arn": state.arn}
        template = self.cloudformation.read_template(state.arn) if can_be_updated(state.status) else None
        return {"exists": True, **state.model_dump(), "template": template}

    def _run(self, state: StackState | None, change_set: ChangeSet | None, was_started: bool) -> StackOutcome:
        """Execute the change set, unless an earlier attempt did, and follow the operation. Raises StackFailed."""
        arn, changing = state.arn if state else "", None
        if not was_started:
            change_set = change_set or self._create(state)
            arn, changing = change_set.stack_arn, len(change_set.changes)
            if change_set.has_no_changes:
                return log_outcome(outcome_of_stack(self.stack, self._protected(arn), StepAction.CHANGE))
            self.cloudformation.execute(change_set.arn, self.token)
        self._follow(arn, changing)
        deployed = self._protected(arn)
        action = StepAction.CREATE if deployed.status == "CREATE_COMPLETE" else StepAction.CHANGE
        return log_outcome(outcome_of_stack(self.stack, deployed, action), changing)

    def _create(self, state: StackState | None) -> ChangeSet:
        if state is not None and classify(state.status) is StatusClass.DELETE_FIRST:
            self._delete(state)
        return self._open(is_new=True)

    def _open(self, *, is_new: bool) -> ChangeSet:
        """A change set that can be executed or has no changes. Raises StackFailed if CloudFormation refuses it."""
        arn = self.cloudformation.open_change_set(self.stack, self.token, is_new=is_new)
        change_set = self._read_opened(arn)
        self._refuse_data_loss(change_set)
        if change_set.is_ready or change_set.has_no_changes:
            return change_set
        self.cloudformation.delete_change_set(arn)
        raise StackFailed(
            f"{self.stack.id}: CloudFormation refused the change set of {self.stack.name}: {change_set.reason} "
            "The stack is unchanged. Fix the template."
        )

    def _read_opened(self, arn: str) -> ChangeSet:
        try:
            return wait_until_created(self.environment, self.cloudformation, arn)
        except NotFound as error:
            raise NotApplied(
                f"{self.stack.id}: CloudFormation accepted the change set of {self.stack.name}, but does not list it. "
                f"The stack is unchanged. {error}"
            ) from error

    def _refuse_data_loss(self, change_set: ChangeSet) -> None:
        """Refuse what the plan would refuse, in the change set to execute: values can differ since the plan."""
        if losses := data_losses(self.stack, change_set.changes):
            self.cloudformation.delete_change_set(change_set.arn)
            raise StackFailed(f"{' '.join(losses)} The change set was not executed, and the stack is unchanged.")

    def _delete(self, state: StackState) -> None:
        """Delete the stack of a failed creation. It has no resources."""
        self.cloudformation.delete_stack(state.arn, f"{self.token}-delete")
        self._require_start(
            lambda: self.cloudformation.read_stack(state.arn),
            lambda found: found is None or found.status != state.status,
            f"deletion of {self.stack.name} after its failed creation",
        )
        remaining, _ = poll_until(
            lambda: self.cloudformation.read_stack(state.arn),
            lambda found: found is None or classify(found.status) is StatusClass.NEEDS_OPERATOR,
            poll=self.environment.stacks.poll,
            deadline=self.environment.stacks.deadline,
        )
        if remaining is not None:
            raise StackFailed(
                f"{self.stack.id}: {self.stack.name} was not deleted after its failed creation. It is in "
                f"{remaining.status}. {advice_for(self.stack.name, remaining.status)}"
            )

    def _follow(self, arn: str, changing: int | None) -> None:
        """Log the progress of the operation until it ends. Raises StackFailed if it does not end successfully."""
        self._require_start(
            lambda: self.cloudformation.read_events(arn, self.token),
            bool,
            f"execution of the change set of {self.stack.name}",
        )
        events, _ = poll_until(
            EventLog(self.cloudformation, self.stack.id, self.token, arn, changing),
            lambda found: end_of(arn, found) is not None,
            poll=self.environment.stacks.poll,
            deadline=self.environment.stacks.deadline,
        )
        status = end_of(arn, events)
        if status is None:
            raise StackFailed(
                f"{self.stack.id}: the operation on {self.stack.name} has not ended after "
                f"{format_duration(self.environment.stacks.deadline)}. CloudFormation continues it. Wait for its end."
            )
        if classify(status) is not StatusClass.COMPLETE:
            raise stack_failed(self.stack, status, arn, events)

    def _require_start(self, read: Callable[[], Found], has_started: Callable[[Found], bool], what: str) -> None:
        """Raise NotApplied if the operation does not start. On AWS, an operation starts at once."""
        poll = self.environment.stacks.poll
        try:
            _, is_started = poll_until(read, has_started, poll=poll, deadline=min(START_POLLS * poll, LONGEST_START))
        except Unavailable:
            return  # A read that failed proves nothing. The next step waits longer for the operation.
        if not is_started:
            raise NotApplied(
                f"{self.stack.id}: CloudFormation accepted the {what}, but did not start it. The operation may still "
                f"start. {READ_EVENTS.format(name=self.stack.name)}"
            )

    def _protected(self, arn: str) -> StackState:
        """The stack as read back, with termination protection if the assembly specifies it."""
        state = self._read_back(arn)
        if needs_protection(self.stack, state):
            self.cloudformation.protect(state.name)
            state = self._read_back(arn)
        if needs_protection(self.stack, state):
            raise NotApplied(
                f"{self.stack.id}: {state.name} was deployed, but its termination protection is still off. To set it "
                "manually: aws cloudformation update-termination-protection --enable-termination-protection "
                f"--stack-name {state.name}."
            )
        return state

    def _read_back(self, arn: str) -> StackState:
        state = self.cloudformation.read_stack(arn)
        if state is None:
            raise NotFound(f"{self.stack.id}: another client deleted stack {arn}.")
        return state
