"""The event stream of a watch: changes since a resource version that match its selectors."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sandbox.kubernetes.api.objects.errors import ApiError, expired
from sandbox.kubernetes.api.objects.kinds import Kind, Object, namespace_of
from sandbox.kubernetes.api.storage.store import Change, Store

BOOKMARK_SECONDS = 60.0


@dataclass(frozen=True)
class Watch:
    """resource_version: the watch starts after it; None starts with the current objects. timeout: in seconds.

    oldest: the first resource version whose later changes the server knows.
    """

    kind: Kind
    namespace: str
    matches: Callable[[Object], bool]
    resource_version: int | None
    timeout: float
    oldest: int = 0
    bookmarks: bool = False

    async def stream(self, store: Store, render: Callable[[Object], Object]) -> AsyncIterator[bytes]:
        """One line of JSON per event, until the timeout. If changes are missing, it ends with an ERROR event."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout
        resource_version = store.resource_version if self.resource_version is None else self.resource_version
        for event in self._present(store):
            yield _line(event["type"], render(event["object"]))
        try:
            if self.resource_version is not None and self.resource_version < self.oldest:
                raise expired(self.resource_version, store.resource_version)
            while (left := deadline - loop.time()) > 0:
                for change in store.changes_since(resource_version):
                    resource_version = change.resource_version
                    if event := self._event(change):
                        yield _line(event["type"], render(event["object"]))
                if not await store.wait_for_change(resource_version, min(left, BOOKMARK_SECONDS)) and self.bookmarks:
                    yield _line("BOOKMARK", self._bookmark(resource_version))
        except ApiError as error:
            yield _line("ERROR", error.status())

    def _present(self, store: Store) -> list[Object]:
        if self.resource_version is not None:
            return []
        objects = filter(self.matches, store.select(self.kind, self.namespace))
        return [{"type": "ADDED", "object": obj} for obj in objects]

    def _event(self, change: Change) -> Object | None:
        """The event of a change for this watch: ADDED if the object starts to match, DELETED if it stops matching."""
        if change.kind is not self.kind or self.namespace not in ("", namespace_of(change.current)):
            return None
        is_in = change.action != "DELETED" and self.matches(change.current)
        was_in = change.previous is not None and self.matches(change.previous)
        if not (is_in or was_in):
            return None
        action = "DELETED" if not is_in else "MODIFIED" if was_in else "ADDED"
        return {"type": action, "object": change.current}

    def _bookmark(self, resource_version: int) -> Object:
        metadata = {"resourceVersion": str(resource_version), "creationTimestamp": None}
        return {"apiVersion": self.kind.group_version, "kind": self.kind.kind, "metadata": metadata}


def _line(action: str, obj: Object) -> bytes:
    return json.dumps({"type": action, "object": obj}, separators=(",", ":")).encode() + b"\n"
