"""The stream of a watch: what changed since a resource version, as selectors see it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sandbox.kubernetes.api.errors import ApiError, expired
from sandbox.kubernetes.api.kinds import Kind, Object, namespace_of
from sandbox.kubernetes.api.store import Change, Store

BOOKMARK_SECONDS = 60.0


@dataclass(frozen=True)
class Watch:
    """revision: the one to start after; None starts with what there is now. timeout: in seconds.

    oldest: the first revision that the server knows of, from which on it can tell what happened.
    """

    kind: Kind
    namespace: str
    matches: Callable[[Object], bool]
    revision: int | None
    timeout: float
    oldest: int = 0
    bookmarks: bool = False

    async def stream(self, store: Store, show: Callable[[Object], Object]) -> AsyncIterator[bytes]:
        """Lines of JSON, one an event, until the timeout; ends with an ERROR event when history was lost."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.timeout
        revision = store.revision if self.revision is None else self.revision
        for event in self._present(store):
            yield _line(event["type"], show(event["object"]))
        try:
            if self.revision is not None and self.revision < self.oldest:
                raise expired(self.revision, store.revision)
            while (left := ends - loop.time()) > 0:
                for change in store.changes_since(revision):
                    revision = change.revision
                    if event := self._event(change):
                        yield _line(event["type"], show(event["object"]))
                if not await store.wait_beyond(revision, min(left, BOOKMARK_SECONDS)) and self.bookmarks:
                    yield _line("BOOKMARK", self._bookmark(revision))
        except ApiError as error:
            yield _line("ERROR", error.status())

    def _present(self, store: Store) -> list[Object]:
        if self.revision is not None:
            return []
        objects = filter(self.matches, store.select(self.kind, self.namespace))
        return [{"type": "ADDED", "object": obj} for obj in objects]

    def _event(self, change: Change) -> Object | None:
        """A change as this watch sees it: an object that begins or ceases to match is added or deleted."""
        if change.kind is not self.kind or self.namespace not in ("", namespace_of(change.current)):
            return None
        is_in = change.action != "DELETED" and self.matches(change.current)
        was_in = change.previous is not None and self.matches(change.previous)
        if not (is_in or was_in):
            return None
        action = "DELETED" if not is_in else "MODIFIED" if was_in else "ADDED"
        return {"type": action, "object": change.current}

    def _bookmark(self, revision: int) -> Object:
        metadata = {"resourceVersion": str(revision), "creationTimestamp": None}
        return {"apiVersion": self.kind.group_version, "kind": self.kind.kind, "metadata": metadata}


def _line(action: str, obj: Object) -> bytes:
    return json.dumps({"type": action, "object": obj}, separators=(",", ":")).encode() + b"\n"
