"""Deleting a stack: its resources in the reverse of their order."""

from sandbox.aws.cloudformation.records import Stack, now
from sandbox.aws.cloudformation.scheduling import reversed_graph, run_in_order
from sandbox.aws.cloudformation.templates import dependencies
from sandbox.aws.cloudformation.worker import Worker


def delete_resources(stack: Stack, worker: Worker) -> None:
    """Take the stack to DELETE_COMPLETE, or to DELETE_FAILED with what is left of it."""

    def remove(name: str) -> None:
        resource = stack.resources[name]
        worker.delete(resource, is_retained=resource.is_kept)
        del stack.resources[name]

    existing = set(stack.resources)
    needs = dependencies(stack.template) if stack.template else {}
    graph = reversed_graph({name: needs.get(name, set()) & existing for name in existing})
    failed = run_in_order(graph, remove, worker.cancelled.set)
    if failed:
        reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]. "
        stack.move("DELETE_FAILED", worker.token, reason)
        return
    stack.deleted = now()
    stack.move("DELETE_COMPLETE", worker.token)
