"""The progress and the end of a stack operation, from its events."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from delivery.errors import DeliveryError, Halted, StackFailed, deciding_error
from delivery.fields import format_duration
from delivery.plan import StepAction
from delivery.stacks.assembly import StackSpec
from delivery.stacks.state import StackState
from delivery.stacks.status import StatusClass, advice_for, classify

STACK_TYPE = "AWS::CloudFormation::Stack"
SHOWN_RESOURCES = 2
NO_REASON = "CloudFormation reported no reason"


class StackEvent(BaseModel):
    """One event of an operation. physical_id: the ARN of the stack if the event is about the stack itself."""

    model_config = ConfigDict(frozen=True)

    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    at: datetime


class StackOutcome(BaseModel):
    """The result of deploying a stack, as read back."""

    model_config = ConfigDict(frozen=True)

    id: str
    arn: str
    status: str
    action: StepAction
    outputs: dict[str, str] = {}


def end_of(arn: str, events: Sequence[StackEvent]) -> str | None:
    """The status in which the operation ended; None while it is in progress. events: oldest first."""
    own = [event.status for event in events if event.type == STACK_TYPE and event.physical_id == arn]
    if not own or classify(own[-1]) is StatusClass.IN_PROGRESS:
        return None
    return own[-1]


class LastOperation(BaseModel):
    """The last successful operation on a stack. was_creation: it takes longer than most updates."""

    model_config = ConfigDict(frozen=True)

    was_creation: bool
    duration: timedelta


def find_last_operation(history: Sequence[StackEvent]) -> LastOperation | None:
    """The newest successful operation in the events; None if they contain none.

    history: events about the stack itself, newest first.
    """
    ended: StackEvent | None = None
    for event in history:
        if event.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            ended = event
        elif ended and event.status == ended.status.replace("COMPLETE", "IN_PROGRESS"):
            return LastOperation(was_creation=ended.status == "CREATE_COMPLETE", duration=ended.at - event.at)
    return None


def describe_last_operation(last: LastOperation | None) -> str:
    """` (its creation took 21m5s)`; empty if there was none."""
    if last is None:
        return ""
    return f" (its {'creation' if last.was_creation else 'last update'} took {_seconds(last.duration)})"


def describe_progress(
    stack_id: str, events: Sequence[StackEvent], changing: int | None, now: datetime, last: LastOperation | None = None
) -> str:
    """The progress of an operation: finished resources, and resources in progress, the longest first.

    events: oldest first. changing: how many resources the operation changes; None if its change set is not known.
    last: an earlier operation, for comparison.
    """
    begun: dict[str, datetime] = {}
    latest: dict[str, str] = {}
    for event in events:
        if event.type != STACK_TYPE:
            begun.setdefault(event.logical_id, event.at)
            latest[event.logical_id] = event.status
    in_progress = [name for name, status in latest.items() if status.endswith("IN_PROGRESS")]
    of_all = f" of {changing}" if changing else ""
    summary = f"{stack_id}: {len(latest) - len(in_progress)}{of_all} resources done{_since(events, now)}"
    summary += describe_last_operation(last)
    if not in_progress:
        return summary
    shown = [f"{name} {latest[name]} for {_seconds(now - begun[name])}" for name in in_progress[:SHOWN_RESOURCES]]
    more = len(in_progress) - len(shown)
    return f"{summary}, {', '.join(shown)}" + (f" and {more} more" if more else "")


def _since(events: Sequence[StackEvent], now: datetime) -> str:
    return f" in {_seconds(now - events[0].at)}" if events else ""


def describe_outcome(outcome: StackOutcome, changing: int | None) -> str:
    """`MSKStack: created, 5 resources`."""
    done = {StepAction.CREATE: "created", StepAction.CHANGE: "changed", StepAction.NOTHING: "nothing to do"}[
        outcome.action
    ]
    return f"{outcome.id}: {done}" + (f", {changing} resources" if changing else "")


def describe_failures(stack_id: str, events: Sequence[StackEvent]) -> list[str]:
    """One line for each resource that failed, with the whole reason."""
    failed = [event for event in events if event.status.endswith("_FAILED") and event.type != STACK_TYPE]
    return [f"{stack_id}: {event.logical_id} {event.status}: {event.reason}" for event in failed]


def _seconds(elapsed: timedelta) -> str:
    return format_duration(timedelta(seconds=max(round(elapsed.total_seconds()), 0)))


def first_failure(arn: str, events: Sequence[StackEvent]) -> StackEvent | None:
    """The first failure that is not a cancellation because another resource failed. arn: of the stack."""
    failed = [event for event in events if event.status.endswith("_FAILED") and event.physical_id != arn]
    return next((event for event in failed if "cancelled" not in event.reason.lower()), failed[0] if failed else None)


def stack_failed(stack: StackSpec, status: str, arn: str, events: Sequence[StackEvent]) -> StackFailed:
    """The error of a stack whose operation failed: the first failure, and what to do."""
    failure = first_failure(arn, events)
    cause = f"{failure.logical_id} ({failure.type}) {failure.status}: {failure.reason}" if failure else NO_REASON
    parts = [f"{stack.id} ({stack.name}) ended in {status}", cause]
    if classify(status) is StatusClass.NEEDS_OPERATOR and events[-1].reason:
        parts.append(events[-1].reason)
    return StackFailed(". ".join(part.rstrip(". ") for part in [*parts, advice_for(stack.name, status)]) + ".")


def outcome_of_stack(stack: StackSpec, state: StackState, action: StepAction) -> StackOutcome:
    return StackOutcome(id=stack.id, arn=state.arn, status=state.status, action=action, outputs=state.outputs)


def conclude_stacks(ends: Mapping[str, StackOutcome | DeliveryError | None]) -> None:
    """If a stack failed, raise one error that names the stacks that failed, finished and were not started.

    ends: by stack id; None: not started. Raises LockLost or StopRequested if one of them ended a stack, because no
    rollback may start then, and StackFailed otherwise.
    """
    failed = {name: end for name, end in ends.items() if isinstance(end, DeliveryError)}
    if not failed:
        return
    finished = [name for name, end in ends.items() if isinstance(end, StackOutcome)]
    not_started = [name for name, end in ends.items() if end is None]
    parts = [str(error) for error in failed.values()]
    parts.append(f"Finished: {', '.join(finished) or 'none'}. Not started: {', '.join(not_started) or 'none'}.")
    first = deciding_error(list(failed.values()))
    raise (type(first) if isinstance(first, Halted) else StackFailed)(" ".join(parts))
