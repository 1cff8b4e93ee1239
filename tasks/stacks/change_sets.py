"""Change sets that tell what an update would do, and those of them that a process left which was killed."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from clients.aws.cloudformation import ChangeSet, Formation
from delivery.environment import Environment
from delivery.errors import DeliveryError, NotApplied
from delivery.stacks.assembly import StackSpec
from delivery.stacks.change_sets import ListedChangeSet, describe_leftovers, find_leftovers, name_preview
from tasks.runs.log import progress
from tasks.runs.waiting import poll_until

# A change set of hundreds of resources is described in a minute or two.
LONGEST_DESCRIPTION = timedelta(minutes=10)


def preview_changes(environment: Environment, formation: Formation, stack: StackSpec) -> ChangeSet:
    """What an update would do; the change set that told it is gone again, whatever happened."""
    arn = formation.open_change_set(stack, name_preview(uuid.uuid4().hex), is_new=False)
    try:
        return wait_until_described(environment, formation, arn)
    finally:
        # One that is still being made cannot be deleted, and whatever led here says more than that.
        with suppress(DeliveryError):
            formation.delete_change_set(arn)


def wait_until_described(environment: Environment, formation: Formation, arn: str) -> ChangeSet:
    """Raises NotApplied where CloudFormation does not get on with it: asked again it would take as long again."""
    deadline = min(environment.stacks.deadline, LONGEST_DESCRIPTION)
    seen, is_described = poll_until(
        lambda: formation.read_change_set(arn),
        lambda change_set: change_set.is_described,
        poll=environment.stacks.poll,
        deadline=deadline,
    )
    if not is_described:
        raise NotApplied(
            f"CloudFormation has not described change set {arn} after {deadline}; it is in {seen.status} and was not "
            "executed: the stack is as it was. See whether AWS Health tells of a disturbance, then start again."
        )
    return seen


def delete_leftovers(formation: Formation, stack: StackSpec, arn: str, now: datetime | None = None) -> None:
    """Delete those change sets of ours at the stack that nobody looks after any more, and say in a line what went.

    They do no harm but that they are in the way of whoever looks at the stack: nothing fails because of them.
    """
    try:
        left = find_leftovers(formation.list_change_sets(arn), now or datetime.now(UTC))
    except DeliveryError as error:
        progress(f"{stack.id}: what plans that died left of change sets stays: {error}")
        return
    refused = {found.arn: error for found in left if (error := why_not_deleted(formation, found)) is not None}
    if deleted := tuple(found for found in left if found.arn not in refused):
        progress(describe_leftovers(stack.id, deleted))
    if refused:
        progress(
            f"{stack.id}: {len(refused)} of {len(left)} change sets that were left stay: {next(iter(refused.values()))}"
        )


def why_not_deleted(formation: Formation, found: ListedChangeSet) -> DeliveryError | None:
    """None once the change set is gone; one that stays does not keep the others."""
    try:
        formation.delete_change_set(found.arn)
    except DeliveryError as error:
        return error
    return None
