"""The loop of all controllers: after a change and a delay, reconcile the objects that the change affects."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.kubernetes.api.objects.errors import ApiError
from sandbox.kubernetes.api.storage.store import Change, Store

Name = tuple[str, str]
"""Namespace and name of the object to reconcile."""

RETRY_SECONDS = 0.2
MAX_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Controller(Protocol):
    """delay: seconds from a change to its reconcile. A real controller's informer and queue cause a similar delay."""

    delay: float

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        """The objects to reconcile after that change."""
        ...

    def reconcile(self, namespace: str, name: str, /) -> float | None:
        """Reconcile one object. Returns the seconds after which to reconcile it again without a change, or None."""
        ...


@dataclass
class Queue:
    """The time at which each object is due. A later change does not delay an object that is already queued."""

    due: dict[Name, float] = field(default_factory=dict)
    failures: dict[Name, int] = field(default_factory=dict)

    def add(self, name: Name, moment: float) -> None:
        self.due[name] = min(moment, self.due.get(name, moment))

    def take(self, moment: float) -> list[Name]:
        ready = [name for name, due in self.due.items() if due <= moment]
        for name in ready:
            del self.due[name]
        return ready

    def retry_after(self, name: Name) -> float:
        self.failures[name] = self.failures.get(name, 0) + 1
        # The exponent has a limit because a float overflows after 1,024 doublings.
        return min(RETRY_SECONDS * 2 ** min(self.failures[name] - 1, 16), MAX_RETRY_SECONDS)


async def run(store: Store, controller: Controller) -> None:
    """Reconcile without end. An object whose reconcile fails is logged and retried with a growing delay."""
    loop, queue, resource_version = asyncio.get_running_loop(), Queue(), 0
    while True:
        for change in store.changes_since(resource_version):
            resource_version = change.resource_version
            for name in controller.names_to_reconcile(change):
                queue.add(name, loop.time() + controller.delay)
        for name in queue.take(loop.time()):
            requeue_after = _reconcile(controller, name, queue)
            if requeue_after is not None:
                queue.add(name, loop.time() + max(requeue_after, controller.delay))
        if store.resource_version == resource_version or queue.due:
            wait = min(queue.due.values(), default=loop.time() + 3600) - loop.time()
            await (asyncio.sleep(0) if wait <= 0 else store.wait_for_change(resource_version, wait))


def _reconcile(controller: Controller, name: Name, queue: Queue) -> float | None:
    kind = type(controller).__name__
    try:
        requeue_after = controller.reconcile(*name)
    except ApiError as error:
        log.warning("%s %s/%s: %s", kind, *name, error.message)
        return queue.retry_after(name)
    except Exception:
        log.exception("%s %s/%s", kind, *name)
        return queue.retry_after(name)
    queue.failures.pop(name, None)
    return requeue_after
