"""Garbage collection: an object is deleted when its last owner is gone."""

from collections.abc import Iterable, Iterator

from sandbox.kubernetes.api.objects.kinds import Kind, Object, name_of, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.controllers.loop import Name

FOREGROUND = "foregroundDeletion"


class Garbage:
    """Collects garbage in the whole cluster after any deletion."""

    delay = 0.05

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        is_deletion = change.action == "DELETED" or change.current["metadata"].get("deletionTimestamp")
        return [("", "")] if is_deletion else []

    def reconcile(self, _namespace: str, _name: str, /) -> float | None:
        objects = self._registry.store.select_all()
        possible_owners = {obj["metadata"]["uid"] for _, obj in objects if FOREGROUND not in _finalizers(obj)}
        for kind, obj in objects:
            owners = obj["metadata"].get("ownerReferences") or []
            is_orphan = bool(owners) and not any(owner["uid"] in possible_owners for owner in owners)
            if is_orphan and not obj["metadata"].get("deletionTimestamp"):
                self._registry.delete(kind, namespace_of(obj), name_of(obj))
        for kind, obj in _without_dependents(self._registry.store.select_all()):
            self._remove_finalizer(kind, obj)
        return None

    def _remove_finalizer(self, kind: Kind, obj: Object) -> None:
        def without_finalizer(current: Object) -> Object:
            current["metadata"]["finalizers"] = [name for name in _finalizers(current) if name != FOREGROUND]
            return current

        write = Write("kube-controller-manager")
        self._registry.change(kind, namespace_of(obj), name_of(obj), without_finalizer, write)


def _without_dependents(objects: list[tuple[Kind, Object]]) -> Iterator[tuple[Kind, Object]]:
    """Objects in foreground deletion whose dependents are gone."""
    owners = {owner["uid"] for _, obj in objects for owner in obj["metadata"].get("ownerReferences") or []}
    return (pair for pair in objects if FOREGROUND in _finalizers(pair[1]) and _uid(pair[1]) not in owners)


def _finalizers(obj: Object) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def _uid(obj: Object) -> str:
    return obj["metadata"]["uid"]
