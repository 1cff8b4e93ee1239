"""Change sets that preview an update, and the deletion of those whose process died."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from clients.aws.cloudformation import ChangeSet, CloudFormation
from delivery.environment import Environment
from delivery.errors import DeliveryError, NotApplied
from delivery.fields import format_duration
from delivery.stacks.assembly import StackSpec
from delivery.stacks.change_sets import ListedChangeSet, describe_deleted, find_orphaned_change_sets, name_preview
from tasks.runs.log import progress
from tasks.runs.waiting import poll_until

# CloudFormation creates a change set of hundreds of resources within one or two minutes.
LONGEST_CREATION = timedelta(minutes=10)


def preview_changes(environment: Environment, cloudformation: CloudFormation, stack: StackSpec) -> ChangeSet:
    """What an update would do. The change set is deleted in any case."""
    arn = cloudformation.open_change_set(stack, name_preview(uuid.uuid4().hex), is_new=False)
    try:
        return wait_until_created(environment, cloudformation, arn)
    finally:
        # A change set in creation cannot be deleted. If this fails too, the first error is more useful.
        with suppress(DeliveryError):
            cloudformation.delete_change_set(arn)


def wait_until_created(environment: Environment, cloudformation: CloudFormation, arn: str) -> ChangeSet:
    """Raises NotApplied, which is not retried, because another attempt would take as long."""
    deadline = min(environment.stacks.deadline, LONGEST_CREATION)
    found, is_created = poll_until(
        lambda: cloudformation.read_change_set(arn),
        lambda change_set: change_set.is_described,
        poll=environment.stacks.poll,
        deadline=deadline,
    )
    if not is_created:
        raise NotApplied(
            f"CloudFormation did not create change set {arn} within {format_duration(deadline)}. It is in "
            f"{found.status} and was not executed, and the stack is unchanged. Check AWS Health for an incident, then "
            "try again."
        )
    return found


def delete_orphaned_change_sets(
    cloudformation: CloudFormation, stack: StackSpec, arn: str, now: datetime | None = None
) -> None:
    """Delete the change sets of the stack whose process died, and log how many. arn: of the stack.

    They only clutter the list of change sets, so a failure is logged and not raised.
    """
    try:
        orphaned = find_orphaned_change_sets(cloudformation.list_change_sets(arn), now or datetime.now(UTC))
    except DeliveryError as error:
        progress(f"{stack.id}: change sets of processes that died are not deleted: {error}")
        return
    refused = {found.arn: error for found in orphaned if (error := try_to_delete(cloudformation, found)) is not None}
    if deleted := tuple(found for found in orphaned if found.arn not in refused):
        progress(describe_deleted(stack.id, deleted))
    if refused:
        first = next(iter(refused.values()))
        progress(
            f"{stack.id}: {len(refused)} of {len(orphaned)} change sets of processes that died are not deleted: {first}"
        )


def try_to_delete(cloudformation: CloudFormation, found: ListedChangeSet) -> DeliveryError | None:
    """The error if the change set cannot be deleted, so that the others still are."""
    try:
        cloudformation.delete_change_set(found.arn)
    except DeliveryError as error:
        return error
    return None
