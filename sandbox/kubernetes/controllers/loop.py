"""The loop that all controllers share: after a change, and a delay, reconcile the objects it concerns."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.kubernetes.api.errors import ApiError
from sandbox.kubernetes.api.store import Change, Store

Name = tuple[str, str]
"""Namespace and name of the object to reconcile."""

RETRY_SECONDS = 0.2
MAX_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Controller(Protocol):
    """delay: seconds from a change to its reconcile, as a real controller's informer and queue take."""

    delay: float

    def concerned(self, change: Change) -> Iterable[Name]:
        """The objects to reconcile after that change."""
        ...

    def reconcile(self, namespace: str, name: str, /) -> float | None:
        """Bring one object on; seconds until it must be looked at again without any change, None for never."""
        ...


@dataclass
class Queue:
    """When each object is due; an object that is already waiting is not put off by a later change."""

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
        # Doubled no further than the longest: a float ends at 1,024 doublings.
        return min(RETRY_SECONDS * 2 ** min(self.failures[name] - 1, 16), MAX_RETRY_SECONDS)


async def run(store: Store, controller: Controller) -> None:
    """Reconcile for ever. An error is logged and tried again, later each time."""
    loop, queue, revision = asyncio.get_running_loop(), Queue(), 0
    while True:
        for change in store.changes_since(revision):
            revision = change.revision
            for name in controller.concerned(change):
                queue.add(name, loop.time() + controller.delay)
        for name in queue.take(loop.time()):
            again = _reconcile(controller, name, queue)
            if again is not None:
                queue.add(name, loop.time() + max(again, controller.delay))
        if store.revision == revision or queue.due:
            wait = min(queue.due.values(), default=loop.time() + 3600) - loop.time()
            await (asyncio.sleep(0) if wait <= 0 else store.wait_beyond(revision, wait))


def _reconcile(controller: Controller, name: Name, queue: Queue) -> float | None:
    kind = type(controller).__name__
    try:
        again = controller.reconcile(*name)
    except ApiError as error:
        log.warning("%s %s/%s: %s", kind, *name, error.message)
        return queue.retry_after(name)
    except Exception:
        log.exception("%s %s/%s", kind, *name)
        return queue.retry_after(name)
    queue.failures.pop(name, None)
    return again
