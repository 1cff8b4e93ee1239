"""A stack operation while it runs and when it has ended, from its events alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from delivery.errors import DeliveryError, Halted, StackFailed, first_to_tell
from delivery.plan import StepAction
from delivery.stacks.assembly import StackSpec
from delivery.stacks.state import StackState
from delivery.stacks.status import Standing, advice_for, standing_of

STACK_TYPE = "AWS::CloudFormation::Stack"
SHOWN_RESOURCES = 2


class StackEvent(BaseModel):
    """One event of our operation. physical_id: the stack's ARN where the event is about the stack itself."""

    model_config = ConfigDict(frozen=True)

    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    at: datetime


class StackOutcome(BaseModel):
    """What deploying a stack came to, as read back."""

    model_config = ConfigDict(frozen=True)

    id: str
    arn: str
    status: str
    action: StepAction
    outputs: dict[str, str] = {}


def end_of(arn: str, events: Sequence[StackEvent]) -> str | None:
    """The status the operation ended in, or None while it is under way. events: oldest first."""
    own = [event.status for event in events if event.type == STACK_TYPE and event.physical_id == arn]
    if not own or standing_of(own[-1]) is Standing.WAIT:
        return None
    return own[-1]


class LastTime(BaseModel):
    """The operation before this one that ended well. was_creation: which took longer than most changes do."""

    model_config = ConfigDict(frozen=True)

    was_creation: bool
    took: timedelta


def last_time_of(history: Sequence[StackEvent]) -> LastTime | None:
    """How long the newest operation took that ended as asked; None where there is none among the events.

    history: of the stack as a whole, newest first.
    """
    ended: StackEvent | None = None
    for event in history:
        if event.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            ended = event
        elif ended and event.status == ended.status.replace("COMPLETE", "IN_PROGRESS"):
            return LastTime(was_creation=ended.status == "CREATE_COMPLETE", took=ended.at - event.at)
    return None


def describe_last_time(last: LastTime | None) -> str:
    """` (its creation took 21 min 5 s)`; empty where there was none."""
    if last is None:
        return ""
    minutes, seconds = divmod(round(last.took.total_seconds()), 60)
    took = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f" (its {'creation' if last.was_creation else 'last change'} took {took})"


def describe_progress(
    stack_id: str, events: Sequence[StackEvent], changing: int | None, now: datetime, last: LastTime | None = None
) -> str:
    """How far an operation is: resources done, and the ones under way, the longest first.

    events: oldest first. changing: how many resources it changes; None where its change set is not known any more.
    last: the operation before, for comparison.
    """
    begun: dict[str, datetime] = {}
    latest: dict[str, str] = {}
    for event in events:
        if event.type != STACK_TYPE:
            begun.setdefault(event.logical_id, event.at)
            latest[event.logical_id] = event.status
    under_way = [name for name, status in latest.items() if status.endswith("IN_PROGRESS")]
    of_all = f" of {changing}" if changing else ""
    told = f"{stack_id}: {len(latest) - len(under_way)}{of_all} resources done{_since(events, now)}"
    told += describe_last_time(last)
    if not under_way:
        return told
    shown = [f"{name} {latest[name]} for {_seconds(now - begun[name])}" for name in under_way[:SHOWN_RESOURCES]]
    more = len(under_way) - len(shown)
    return f"{told}, {', '.join(shown)}" + (f" and {more} more" if more else "")


def _since(events: Sequence[StackEvent], now: datetime) -> str:
    return f" in {_seconds(now - events[0].at)}" if events else ""


def describe_outcome(outcome: StackOutcome, changing: int | None) -> str:
    """`MSKStack: created, 5 resources`."""
    done = {StepAction.CREATE: "created", StepAction.CHANGE: "changed", StepAction.NOTHING: "nothing to do"}[
        outcome.action
    ]
    return f"{outcome.id}: {done}" + (f", {changing} resources" if changing else "")


def describe_failures(stack_id: str, events: Sequence[StackEvent]) -> list[str]:
    """A line in full for each resource that failed."""
    failed = [event for event in events if event.status.endswith("_FAILED") and event.type != STACK_TYPE]
    return [f"{stack_id}: {event.logical_id} {event.status}: {event.reason}" for event in failed]


def _seconds(elapsed: timedelta) -> str:
    return f"{max(round(elapsed.total_seconds()), 0)} s"


def first_failure(arn: str, events: Sequence[StackEvent]) -> StackEvent | None:
    """The resource that failed by itself, not one that was cancelled because another failed."""
    failed = [event for event in events if event.status.endswith("_FAILED") and event.physical_id != arn]
    return next((event for event in failed if "cancelled" not in event.reason.lower()), failed[0] if failed else None)


def stack_failed(stack: StackSpec, status: str, arn: str, events: Sequence[StackEvent]) -> StackFailed:
    """The error of a stack that ended in another status than asked for."""
    failure = first_failure(arn, events)
    said = [f"{stack.id} ({stack.name}) ended in {status}"]
    said.append(
        f"{failure.logical_id} ({failure.type}) {failure.status}: {failure.reason}" if failure else "It gave no reason"
    )
    if standing_of(status) is Standing.NEEDS_A_PERSON and events[-1].reason:
        said.append(events[-1].reason)
    return StackFailed(". ".join(part.rstrip(". ") for part in [*said, advice_for(stack.name, status)]) + ".")


def outcome_of_stack(stack: StackSpec, state: StackState, action: StepAction) -> StackOutcome:
    return StackOutcome(id=stack.id, arn=state.arn, status=state.status, action=action, outputs=state.outputs)


def conclude_stacks(ends: Mapping[str, StackOutcome | DeliveryError | None]) -> None:
    """Raise one error that names the failed stacks, the finished ones and those not started; nothing if all are done.

    ends: by stack id; None: not started. Raises LockLost or StopRequested where one of them ended a stack, because no
    way back may start then, and StackFailed otherwise.
    """
    failed = {name: end for name, end in ends.items() if isinstance(end, DeliveryError)}
    if not failed:
        return
    finished = [name for name, end in ends.items() if isinstance(end, StackOutcome)]
    waiting = [name for name, end in ends.items() if end is None]
    parts = [str(error) for error in failed.values()]
    parts.append(f"Finished: {', '.join(finished) or 'none'}. Not started: {', '.join(waiting) or 'none'}.")
    first = first_to_tell(list(failed.values()))
    raise (type(first) if isinstance(first, Halted) else StackFailed)(" ".join(parts))
