"""One stack of one release: prepare its change set, execute it, follow its events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from clients.aws.cloudformation import ChangeSet, Formation
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotFound, StackFailed, Unavailable
from delivery.plan import StepAction
from delivery.stacks.assembly import StackSpec
from delivery.stacks.operations import describe_operator
from delivery.stacks.planning import data_losses, needs_protection
from delivery.stacks.progress import StackOutcome, end_of, outcome_of_stack, stack_failed
from delivery.stacks.state import StackState
from delivery.stacks.status import Standing, advice_for, can_be_changed, standing_of
from tasks.runs.waiting import poll_until
from tasks.stacks.change_sets import wait_until_described
from tasks.stacks.events import EventLog, tell
from tasks.stacks.predecessor import follow_predecessor, is_under_way

Seen = TypeVar("Seen")
# In polls, so that it shrinks with the waits of a rehearsal.
STARTS_WITHIN = 24
LONGEST_START = timedelta(minutes=2)


@dataclass(frozen=True)
class StackWork:
    """token: names the change set and marks the operation's events; the same at every try of the release."""

    environment: Environment
    stack: StackSpec
    formation: Formation
    token: str

    def was_started(self, state: StackState | None) -> bool:
        """Whether an earlier try has started the operation, ended or not."""
        return state is not None and bool(self.formation.read_events(state.arn, self.token))

    def settle(self, state: StackState | None) -> StackState | None:
        """The stack with nothing under way: an earlier release's operation is followed to its end.

        Raises Conflict where somebody else is at work, or where that does not end.
        """
        settled, operation = follow_predecessor(self.environment, self.formation, self.stack, state)
        if settled and is_under_way(settled):
            raise Conflict(self._why_not(settled, f", by {describe_operator(operation)}"))
        return settled

    def prepare(self, state: StackState | None) -> ChangeSet | None:
        """The change set of a stack that exists; None for one that does not, since making that changes something.

        state: settled. Raises StackFailed where the stack takes no change set.
        """
        standing = standing_of(state.status if state else None)
        if state is None or standing in (Standing.ABSENT, Standing.DELETE_FIRST):
            return None
        if not can_be_changed(state.status):
            raise StackFailed(self._why_not(state))
        return self._open(is_new=False)

    def _why_not(self, state: StackState, by: str = "") -> str:
        stack = self.stack
        return f"{stack.id}: stack {stack.name} is in {state.status}{by}. {advice_for(stack.name, state.status)}"

    def is_nothing_to_do(self, state: StackState, change_set: ChangeSet) -> bool:
        return change_set.has_no_changes and not needs_protection(self.stack, state)

    def leave_alone(self, state: StackState, change_set: ChangeSet) -> StackOutcome:
        self.formation.delete_change_set(change_set.arn)
        return tell(outcome_of_stack(self.stack, state, StepAction.NOTHING))

    def before(self, state: StackState | None, was_started: bool) -> dict[str, Any]:
        """What a way back needs: the stack as it was. Of an earlier try its own record tells that."""
        if state is None:
            return {"exists": False}
        if was_started:
            return {"was_started": True, "arn": state.arn}
        template = self.formation.read_template(state.arn) if can_be_changed(state.status) else None
        return {"exists": True, **state.model_dump(), "template": template}

    def carry_out(self, state: StackState | None, change_set: ChangeSet | None, was_started: bool) -> StackOutcome:
        """Execute, unless that was done before, and follow to the end; raises StackFailed."""
        arn, changing = state.arn if state else "", None
        if not was_started:
            change_set = change_set or self._create(state)
            arn, changing = change_set.stack_arn, len(change_set.changes)
            if change_set.has_no_changes:
                return tell(outcome_of_stack(self.stack, self._protected(arn), StepAction.CHANGE))
            self.formation.execute(change_set.arn, self.token)
        self._follow(arn, changing)
        deployed = self._protected(arn)
        action = StepAction.CREATE if deployed.status == "CREATE_COMPLETE" else StepAction.CHANGE
        return tell(outcome_of_stack(self.stack, deployed, action), changing)

    def _create(self, state: StackState | None) -> ChangeSet:
        if state is not None and standing_of(state.status) is Standing.DELETE_FIRST:
            self._delete(state)
        return self._open(is_new=True)

    def _open(self, *, is_new: bool) -> ChangeSet:
        """A change set that can be executed or has nothing to do; raises StackFailed where it is refused."""
        arn = self.formation.open_change_set(self.stack, self.token, is_new=is_new)
        change_set = self._read_opened(arn)
        self._refuse_data_loss(change_set)
        if change_set.is_ready or change_set.has_no_changes:
            return change_set
        self.formation.delete_change_set(arn)
        raise StackFailed(
            f"{self.stack.id}: CloudFormation refused the change set of {self.stack.name}: {change_set.reason} "
            "The stack is as it was. Mend the template and release again."
        )

    def _read_opened(self, arn: str) -> ChangeSet:
        try:
            return wait_until_described(self.environment, self.formation, arn)
        except NotFound as error:
            raise NotApplied(
                f"{self.stack.id}: CloudFormation took the change set of {self.stack.name} and does not know it. "
                f"The stack is as it was. {error}"
            ) from error

    def _refuse_data_loss(self, change_set: ChangeSet) -> None:
        """The plan's refusal again, on what would really be executed: values it did not know may have moved since."""
        if losses := data_losses(self.stack, change_set.changes):
            self.formation.delete_change_set(change_set.arn)
            raise StackFailed(f"{' '.join(losses)} The stack is as it was: its change set was not executed.")

    def _delete(self, state: StackState) -> None:
        """Delete what a failed creation left, which has no resources."""
        self.formation.delete_stack(state.arn, f"{self.token}-delete")
        self._require_start(
            lambda: self.formation.read_stack(state.arn),
            lambda seen: seen is None or seen.status != state.status,
            f"deletion of what a failed creation left of {self.stack.name}",
        )
        left, _ = poll_until(
            lambda: self.formation.read_stack(state.arn),
            lambda seen: seen is None or standing_of(seen.status) is Standing.NEEDS_A_PERSON,
            poll=self.environment.stacks.poll,
            deadline=self.environment.stacks.deadline,
        )
        if left is not None:
            raise StackFailed(
                f"{self.stack.id}: what a failed creation left of {self.stack.name} could not be deleted; it is in "
                f"{left.status}. {advice_for(self.stack.name, left.status)}"
            )

    def _follow(self, arn: str, changing: int | None) -> None:
        """Log how far our operation is until it ends; raises StackFailed when it ends otherwise than asked for."""
        self._require_start(
            lambda: self.formation.read_events(arn, self.token), bool, f"execution of {self.stack.name}'s change set"
        )
        events, _ = poll_until(
            EventLog(self.formation, self.stack.id, self.token, arn, changing),
            lambda seen: end_of(arn, seen) is not None,
            poll=self.environment.stacks.poll,
            deadline=self.environment.stacks.deadline,
        )
        status = end_of(arn, events)
        if status is None:
            raise StackFailed(
                f"{self.stack.id} ({self.stack.name}) has not ended after {self.environment.stacks.deadline}; "
                "CloudFormation goes on with it. Start the release again when it has ended."
            )
        if standing_of(status) is not Standing.DONE:
            raise stack_failed(self.stack, status, arn, events)

    def _require_start(self, look: Callable[[], Seen], has_begun: Callable[[Seen], bool], what: str) -> None:
        """What was asked for begins at once on AWS; raises NotApplied where nothing of it is to be seen."""
        poll = self.environment.stacks.poll
        try:
            _, is_begun = poll_until(look, has_begun, poll=poll, deadline=min(STARTS_WITHIN * poll, LONGEST_START))
        except Unavailable:
            return  # Looks that fail decide nothing; whoever follows the operation waits for longer.
        if not is_begun:
            raise NotApplied(
                f"{self.stack.id}: CloudFormation took the {what} and did not begin it. Nothing of it is to be "
                "seen in the stack's events, where it may yet appear: look there, then start the release again."
            )

    def _protected(self, arn: str) -> StackState:
        """The stack as read back, protected against deletion where its assembly asks for that."""
        state = self._read_back(arn)
        if needs_protection(self.stack, state):
            self.formation.protect(state.name)
            state = self._read_back(arn)
        if needs_protection(self.stack, state):
            raise NotApplied(
                f"{self.stack.id}: {state.name} was deployed, and is not protected from deletion although it was asked "
                "for. Start the release again, or protect it by hand."
            )
        return state

    def _read_back(self, arn: str) -> StackState:
        state = self.formation.read_stack(arn)
        if state is None:
            raise NotFound(f"{self.stack.id}: stack {arn} was there and is gone. Somebody else deleted it.")
        return state
