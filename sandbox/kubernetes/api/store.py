"""The objects, the resource version that every write moves, and the history that watches read."""

import asyncio
from collections import deque
from dataclasses import dataclass

from sandbox.kubernetes.api.errors import expired
from sandbox.kubernetes.api.kinds import Kind, Object, copy_of, name_of, namespace_of

Key = tuple[Kind, str, str]
"""Kind, namespace ("" for what has none) and name."""


@dataclass(frozen=True)
class Change:
    """One write. previous: the object before it, None when it was added. current: after a removal, its last state."""

    revision: int
    action: str
    kind: Kind
    current: Object
    previous: Object | None


class Store:
    """Objects by key, in memory.

    Everything runs on one event loop, so a write is never interrupted; what is handed out is a copy.
    """

    def __init__(self, history: int = 20_000) -> None:
        self.revision = 1
        self._objects: dict[Key, Object] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._changed = asyncio.Event()

    def read(self, key: Key) -> Object | None:
        return copy_of(self._objects.get(key))

    def select(self, kind: Kind, namespace: str = "") -> list[Object]:
        """The kind's objects in one namespace, or in all of them, by namespace and name."""
        keys = [key for key in self._objects if key[0] is kind and namespace in ("", key[1])]
        return [copy_of(self._objects[key]) for key in sorted(keys, key=lambda key: key[1:])]

    def select_at(self, kind: Kind, namespace: str, revision: int) -> list[Object]:
        """Like `select`, as it was at that revision. Raises 410 when that is no longer known."""
        found = {(namespace_of(obj), name_of(obj)): obj for obj in self.select(kind, namespace)}
        for change in reversed(self.changes_since(revision)):
            if change.kind is kind and namespace in ("", namespace_of(change.current)):
                key = namespace_of(change.current), name_of(change.current)
                found.pop(key, None)
                found |= {key: copy_of(change.previous)} if change.previous else {}
        return [found[key] for key in sorted(found)]

    def everything(self) -> list[tuple[Kind, Object]]:
        return [(key[0], copy_of(obj)) for key, obj in self._objects.items()]

    def write(self, kind: Kind, obj: Object) -> Object:
        """Add or change an object; its new resource version is in what is returned."""
        key = (kind, namespace_of(obj), name_of(obj))
        previous = self._objects.get(key)
        stored = self._stamp(obj)
        self._objects[key] = stored
        self._record("MODIFIED" if previous else "ADDED", kind, stored, previous)
        return copy_of(stored)

    def remove(self, key: Key) -> Object:
        previous = self._objects.pop(key)
        stored = self._stamp(previous)
        self._record("DELETED", key[0], stored, previous)
        return copy_of(stored)

    def changes_since(self, revision: int) -> list[Change]:
        """Changes after that revision, oldest first. Raises 410 when they are no longer all known."""
        oldest = self._history[0].revision if self._history else self.revision + 1
        if revision + 1 < oldest and self._history.maxlen == len(self._history):
            raise expired(revision, oldest)
        recent: list[Change] = []
        for change in reversed(self._history):
            if change.revision <= revision:
                break
            recent.append(change)
        return recent[::-1]

    async def wait_beyond(self, revision: int, timeout: float | None = None) -> bool:
        """Whether something was written after that revision before the timeout (seconds) was over."""
        if self.revision > revision:
            return True
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return False
        return True

    def _stamp(self, obj: Object) -> Object:
        self.revision += 1
        stored = copy_of(obj)
        stored["metadata"]["resourceVersion"] = str(self.revision)
        return stored

    def _record(self, action: str, kind: Kind, current: Object, previous: Object | None) -> None:
        self._history.append(Change(self.revision, action, kind, current, previous))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
