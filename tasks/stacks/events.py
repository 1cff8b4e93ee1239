"""The log of a stack operation while it is followed."""

from datetime import UTC, datetime, timedelta

from clients.aws.cloudformation import CloudFormation
from delivery.errors import Unavailable
from delivery.stacks.progress import (
    LastOperation,
    StackEvent,
    StackOutcome,
    describe_failures,
    describe_outcome,
    describe_progress,
    end_of,
    find_last_operation,
)
from tasks.runs.log import progress

# A stack of a hundred resources has two events for each of them. A broker cluster has no event for twenty minutes.
INTERVAL_WITH_NEW_EVENTS = timedelta(seconds=5)
INTERVAL = timedelta(minutes=1)


def log_outcome(outcome: StackOutcome, changing: int | None = None) -> StackOutcome:
    """The same outcome, after it was logged."""
    progress(describe_outcome(outcome, changing))
    return outcome


def read_last_operation(cloudformation: CloudFormation, arn: str, token: str) -> LastOperation | None:
    """The last successful operation before the one with this token. None also if the events cannot be read."""
    try:
        return find_last_operation(cloudformation.read_history(arn, token))
    except Unavailable:
        return None


class EventLog:
    """Reads the events of an operation. Logs each failure at once, and the progress at intervals until the end."""

    def __init__(
        self, cloudformation: CloudFormation, stack_id: str, token: str, arn: str, changing: int | None
    ) -> None:
        self._cloudformation, self._stack_id, self._token = cloudformation, stack_id, token
        self._arn, self._changing = arn, changing
        self._read = 0
        self._logged = 0
        self._logged_at = datetime.now(UTC)
        self._last = read_last_operation(cloudformation, arn, token)

    def __call__(self) -> tuple[StackEvent, ...]:
        events = self._cloudformation.read_events(self._arn, self._token)
        now = datetime.now(UTC)
        for failure in describe_failures(self._stack_id, events[self._read :]):
            progress(failure)
        self._read = len(events)
        interval = INTERVAL_WITH_NEW_EVENTS if len(events) > self._logged else INTERVAL
        if now - self._logged_at >= interval and end_of(self._arn, events) is None:
            progress(describe_progress(self._stack_id, events, self._changing, now, self._last))
            self._logged, self._logged_at = len(events), now
        return events
