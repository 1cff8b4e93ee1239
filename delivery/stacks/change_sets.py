"""Change sets: the names that Slipway gives them, and those whose process died."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.stacks.operations import release_of

PREVIEW = re.compile(r"slipway-plan-[0-9a-f]{32}")
# Longer than CloudFormation takes to create a change set, and than a plan or a release waits before it uses it.
ORPHANED_AFTER = timedelta(hours=1)
# A change set in creation cannot be deleted yet. An executed change set is the history of the stack.
CREATED = ("CREATE_COMPLETE", "FAILED")
NOT_EXECUTED = ("AVAILABLE", "UNAVAILABLE", "OBSOLETE")


@dataclass(frozen=True)
class ListedChangeSet:
    """A change set in the list of its stack. made: its creation time."""

    arn: str
    name: str
    status: str
    execution_status: str
    made: datetime


def name_preview(unique: str) -> str:
    """The name of a change set that a plan creates, reads and deletes. unique: 32 hexadecimal digits."""
    return f"slipway-plan-{unique}"


def is_of_slipway(name: str) -> bool:
    """Whether a plan or a release of Slipway created the change set with this name."""
    return PREVIEW.fullmatch(name) is not None or release_of(name) is not None


def find_orphaned_change_sets(listed: Iterable[ListedChangeSet], now: datetime) -> tuple[ListedChangeSet, ...]:
    """Slipway's own change sets that no process will execute or delete any more, oldest first."""
    orphaned = (
        found
        for found in listed
        if is_of_slipway(found.name)
        and found.status in CREATED
        and found.execution_status in NOT_EXECUTED
        and now - found.made > ORPHANED_AFTER
    )
    return tuple(sorted(orphaned, key=lambda found: found.made))


def describe_deleted(stack_id: str, deleted: tuple[ListedChangeSet, ...]) -> str:
    """deleted: oldest first."""
    is_one = len(deleted) == 1
    what = "1 change set of a plan or release" if is_one else f"{len(deleted)} change sets of plans or releases"
    oldest = f"{'It' if is_one else 'The oldest'} was created at {deleted[0].made:%Y-%m-%d %H:%M} UTC."
    return f"{stack_id}: deleted {what} whose process died. {oldest}"
