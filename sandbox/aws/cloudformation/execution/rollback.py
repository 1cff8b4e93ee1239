"""Rolls a failed change back: restores changed resources and deletes created ones."""

import threading

from sandbox.aws.cloudformation.execution.worker import ResourceFailed, Worker
from sandbox.aws.cloudformation.model.records import Resource, Stack


def roll_back(stack: Stack, before: dict[str, Resource], worker: Worker, kind: str, reason: str) -> None:
    """Restore the resources that the stack had before a failed CREATE or UPDATE."""
    prefix = "ROLLBACK" if kind == "CREATE" else "UPDATE_ROLLBACK"
    stack.move(f"{prefix}_IN_PROGRESS", worker.token, f"{reason} Rollback requested by user.")
    worker.cancelled = threading.Event()
    unrestored = [name for name, resource in before.items() if not _restore(stack, resource, worker)]
    if unrestored:
        reason = f"The following resource(s) failed to update: [{', '.join(unrestored)}]."
        stack.move(f"{prefix}_FAILED", worker.token, reason)
        return
    if kind == "UPDATE":
        stack.move(f"{prefix}_COMPLETE_CLEANUP_IN_PROGRESS", worker.token)
    undeleted = [resource.logical_id for resource in _created_since(stack, before) if not _delete(resource, worker)]
    stack.resources = dict(before)
    if undeleted and kind == "CREATE":
        reason = f"The following resource(s) failed to delete: [{', '.join(undeleted)}]."
        stack.move("ROLLBACK_FAILED", worker.token, reason)
        return
    stack.move(f"{prefix}_COMPLETE", worker.token)


def _restore(stack: Stack, former: Resource, worker: Worker) -> bool:
    """Restore the resource if it was changed. False if that failed. After a replacement, the old one still exists."""
    current = stack.resources.get(former.logical_id)
    if current is None or current.physical_id != former.physical_id or not _was_changed(current, former):
        return True
    try:
        worker.update(current, former.properties)
    except ResourceFailed:
        return False
    former.attributes = current.attributes
    return True


def _was_changed(current: Resource, former: Resource) -> bool:
    return current.properties != former.properties or current.status == "UPDATE_FAILED"


def _created_since(stack: Stack, before: dict[str, Resource]) -> list[Resource]:
    """Resources created since then, newest first, so that dependent resources are deleted first."""
    return [
        resource
        for name, resource in reversed(stack.resources.items())
        if name not in before or before[name].physical_id != resource.physical_id
    ]


def _delete(resource: Resource, worker: Worker) -> bool:
    try:
        worker.delete(resource, is_retained=resource.deletion_policy == "Retain")
    except ResourceFailed:
        return False
    return True
