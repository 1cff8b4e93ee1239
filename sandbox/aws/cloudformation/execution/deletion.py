"""Deletes a stack: its resources in reverse order."""

from sandbox.aws.cloudformation.execution.scheduling import reversed_graph, run_in_order
from sandbox.aws.cloudformation.execution.worker import Worker
from sandbox.aws.cloudformation.model.records import Stack, now
from sandbox.aws.cloudformation.templates.template import dependencies


def delete_resources(stack: Stack, worker: Worker) -> None:
    """Bring the stack to DELETE_COMPLETE, or to DELETE_FAILED with the remaining resources."""

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
