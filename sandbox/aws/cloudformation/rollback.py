"""The way back of a failed change: what was changed is put back, what was made is removed."""

import threading

from sandbox.aws.cloudformation.records import Resource, Stack
from sandbox.aws.cloudformation.worker import ResourceFailed, Worker


def roll_back(stack: Stack, before: dict[str, Resource], worker: Worker, kind: str, reason: str) -> None:
    """Take the stack from a failed CREATE or UPDATE back to the resources it had before."""
    prefix = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
    stack.move(f"{prefix}_IN_PROGRESS", worker.token, f"{reason} Rollback requested by user.")
    worker.cancelled = threading.Event()
    unrestored = [name for name, resource in before.items() if not _restored(stack, resource, worker)]
    if unrestored:
        reason = f"The following resource(s) failed to update: [{', '.join(unrestored)}]."
        stack.move(f"{prefix}_FAILED", worker.token, reason)
        return
    if kind == "UPDATE":
        stack.move(f"{prefix}_COMPLETE_CLEANUP_IN_PROGRESS", worker.token)
    undeleted = [resource.logical_id for resource in _made_since(stack, before) if not _removed(resource, worker)]
    stack.resources = dict(before)
    if undeleted and kind == "CREATE":
        reason = f"The following resource(s) failed to delete: [{', '.join(undeleted)}]."
        stack.move("ROLLBACK_FAILED", worker.token, reason)
        return
    stack.move(f"{prefix}_COMPLETE", worker.token)


def _restored(stack: Stack, former: Resource, worker: Worker) -> bool:
    """Whether the resource is as it was: untouched, replaced (the former still stands) or changed back."""
    current = stack.resources.get(former.logical_id)
    if current is None or current.physical_id != former.physical_id or not _was_touched(current, former):
        return True
    try:
        worker.update(current, former.properties)
    except ResourceFailed:
        return False
    former.attributes = current.attributes
    return True


def _was_touched(current: Resource, former: Resource) -> bool:
    return current.properties != former.properties or current.status == "UPDATE_FAILED"


def _made_since(stack: Stack, before: dict[str, Resource]) -> list[Resource]:
    """Newest first, so that what needs another is removed before it."""
    return [
        resource
        for name, resource in reversed(stack.resources.items())
        if name not in before or before[name].physical_id != resource.physical_id
    ]


def _removed(resource: Resource, worker: Worker) -> bool:
    try:
        worker.delete(resource, is_retained=resource.deletion_policy == "Retain")
    except ResourceFailed:
        return False
    return True
