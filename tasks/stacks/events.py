"""What a stack's operation tells while it is followed."""

from datetime import UTC, datetime, timedelta

from clients.aws.cloudformation import Formation
from delivery.errors import Unavailable
from delivery.stacks.progress import (
    LastTime,
    StackEvent,
    StackOutcome,
    describe_failures,
    describe_outcome,
    describe_progress,
    end_of,
    last_time_of,
)
from tasks.runs.log import progress

# A stack of a hundred resources has two events of each; a broker cluster has none for twenty minutes.
TELLS_NEWS_EVERY = timedelta(seconds=5)
TELLS_EVERY = timedelta(minutes=1)


def tell(outcome: StackOutcome, changing: int | None = None) -> StackOutcome:
    """The outcome, as the log has it now."""
    progress(describe_outcome(outcome, changing))
    return outcome


def read_last_time(formation: Formation, arn: str, token: str) -> LastTime | None:
    """For comparison only, so a look that failed is as good as no last time."""
    try:
        return last_time_of(formation.read_history(arn, token))
    except Unavailable:
        return None


class EventLog:
    """Reads an operation's events; logs each failure at once, and until it ends how far it is every few seconds."""

    def __init__(self, formation: Formation, stack_id: str, token: str, arn: str, changing: int | None) -> None:
        self._formation, self._stack_id, self._token = formation, stack_id, token
        self._arn, self._changing = arn, changing
        self._read = 0
        self._told = 0
        self._told_at = datetime.now(UTC)
        self._last = read_last_time(formation, arn, token)

    def __call__(self) -> tuple[StackEvent, ...]:
        events = self._formation.read_events(self._arn, self._token)
        now = datetime.now(UTC)
        for failure in describe_failures(self._stack_id, events[self._read :]):
            progress(failure)
        self._read = len(events)
        is_due = now - self._told_at >= (TELLS_NEWS_EVERY if len(events) > self._told else TELLS_EVERY)
        if is_due and end_of(self._arn, events) is None:
            progress(describe_progress(self._stack_id, events, self._changing, now, self._last))
            self._told, self._told_at = len(events), now
        return events
