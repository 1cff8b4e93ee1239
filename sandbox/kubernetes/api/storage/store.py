"""The objects in memory, the resource version that every write increments, and the history that watches read."""

import asyncio
from collections import deque
from dataclasses import dataclass

from sandbox.kubernetes.api.objects.errors import expired
from sandbox.kubernetes.api.objects.kinds import Kind, Object, copy_of, name_of, namespace_of

Key = tuple[Kind, str, str]
"""Kind, namespace ("" for a kind without namespaces) and name."""


@dataclass(frozen=True)
class Change:
    """One write. previous: the object before it, None for a new object. current: after a deletion, the last state."""

    resource_version: int
    action: str
    kind: Kind
    current: Object
    previous: Object | None


class Store:
    """Objects by key, in memory.

    All code runs on one event loop, so a write is never interrupted. Every returned object is a copy.
    """

    def __init__(self, history: int = 20_000) -> None:
        self.resource_version = 1
        self._objects: dict[Key, Object] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._changed = asyncio.Event()

    def read(self, key: Key) -> Object | None:
        return copy_of(self._objects.get(key))

    def select(self, kind: Kind, namespace: str = "") -> list[Object]:
        """The kind's objects in one namespace, or in all namespaces, ordered by namespace and name."""
        keys = [key for key in self._objects if key[0] is kind and namespace in ("", key[1])]
        return [copy_of(self._objects[key]) for key in sorted(keys, key=lambda key: key[1:])]

    def select_at(self, kind: Kind, namespace: str, resource_version: int) -> list[Object]:
        """The result of `select` at that resource version. Raises 410 if the history no longer contains it."""
        found = {(namespace_of(obj), name_of(obj)): obj for obj in self.select(kind, namespace)}
        for change in reversed(self.changes_since(resource_version)):
            if change.kind is kind and namespace in ("", namespace_of(change.current)):
                key = namespace_of(change.current), name_of(change.current)
                found.pop(key, None)
                found |= {key: copy_of(change.previous)} if change.previous else {}
        return [found[key] for key in sorted(found)]

    def select_all(self) -> list[tuple[Kind, Object]]:
        return [(key[0], copy_of(obj)) for key, obj in self._objects.items()]

    def write(self, kind: Kind, obj: Object) -> Object:
        """Add or change an object. The returned object has its new resource version."""
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

    def changes_since(self, resource_version: int) -> list[Change]:
        """Changes after that resource version, oldest first. Raises 410 if the history does not contain all of them."""
        oldest = self._history[0].resource_version if self._history else self.resource_version + 1
        if resource_version + 1 < oldest and self._history.maxlen == len(self._history):
            raise expired(resource_version, oldest)
        recent: list[Change] = []
        for change in reversed(self._history):
            if change.resource_version <= resource_version:
                break
            recent.append(change)
        return recent[::-1]

    async def wait_for_change(self, resource_version: int, timeout: float | None = None) -> bool:
        """Wait for a write after that resource version, up to the timeout (seconds). False if there was none."""
        if self.resource_version > resource_version:
            return True
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return False
        return True

    def _stamp(self, obj: Object) -> Object:
        self.resource_version += 1
        stored = copy_of(obj)
        stored["metadata"]["resourceVersion"] = str(self.resource_version)
        return stored

    def _record(self, action: str, kind: Kind, current: Object, previous: Object | None) -> None:
        self._history.append(Change(self.resource_version, action, kind, current, previous))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
