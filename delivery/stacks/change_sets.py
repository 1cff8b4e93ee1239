"""Change sets: how ours are named, and which of them were left behind by a process that was killed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.stacks.operations import release_of

PREVIEW = re.compile(r"slipway-plan-[0-9a-f]{32}")
# Longer than CloudFormation may take to describe one, and than anybody waits before it is executed or deleted.
LEFT_AFTER = timedelta(hours=1)
# One that is being made cannot be deleted yet, and one that was executed is the stack's history.
MADE = ("CREATE_COMPLETE", "FAILED")
NOT_EXECUTED = ("AVAILABLE", "UNAVAILABLE", "OBSOLETE")


@dataclass(frozen=True)
class ListedChangeSet:
    """As CloudFormation lists it with its stack; made: when."""

    arn: str
    name: str
    status: str
    execution_status: str
    made: datetime


def name_preview(unique: str) -> str:
    """Of a change set that a plan makes, looks at and deletes. unique: 32 hexadecimal digits."""
    return f"slipway-plan-{unique}"


def is_ours(name: str) -> bool:
    """Whether a plan or a release of ours gave it this name."""
    return PREVIEW.fullmatch(name) is not None or release_of(name) is not None


def find_leftovers(listed: Iterable[ListedChangeSet], now: datetime) -> tuple[ListedChangeSet, ...]:
    """Those of ours that nobody is going to execute or delete any more, oldest first."""
    left = (
        found
        for found in listed
        if is_ours(found.name)
        and found.status in MADE
        and found.execution_status in NOT_EXECUTED
        and now - found.made > LEFT_AFTER
    )
    return tuple(sorted(left, key=lambda found: found.made))


def describe_leftovers(stack_id: str, deleted: tuple[ListedChangeSet, ...]) -> str:
    what = "a change set" if len(deleted) == 1 else f"{len(deleted)} change sets, the oldest"
    return f"{stack_id}: deleted {what} of {deleted[0].made:%Y-%m-%d %H:%M} UTC, left by a plan or release that died."
