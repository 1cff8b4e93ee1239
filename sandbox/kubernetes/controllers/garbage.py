"""Garbage collection: what is owned goes when its last owner has gone."""

from collections.abc import Iterable, Iterator

from sandbox.kubernetes.api.kinds import Kind, Object, name_of, namespace_of
from sandbox.kubernetes.api.registry import Registry, Write
from sandbox.kubernetes.api.store import Change
from sandbox.kubernetes.controllers.loop import Name

FOREGROUND = "foregroundDeletion"


class Garbage:
    """Collects after a deletion, whatever it was; what it reconciles is the whole cluster."""

    delay = 0.05

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def concerned(self, change: Change) -> Iterable[Name]:
        is_going = change.action == "DELETED" or change.current["metadata"].get("deletionTimestamp")
        return [("", "")] if is_going else []

    def reconcile(self, _namespace: str, _name: str, /) -> float | None:
        everything = self._registry.store.everything()
        living = {obj["metadata"]["uid"] for _, obj in everything if FOREGROUND not in _finalizers(obj)}
        for kind, obj in everything:
            owners = obj["metadata"].get("ownerReferences") or []
            is_orphan = bool(owners) and not any(owner["uid"] in living for owner in owners)
            if is_orphan and not obj["metadata"].get("deletionTimestamp"):
                self._registry.delete(kind, namespace_of(obj), name_of(obj))
        for kind, obj in _waiting_for_dependents(self._registry.store.everything()):
            self._release(kind, obj)
        return None

    def _release(self, kind: Kind, obj: Object) -> None:
        def without_finalizer(current: Object) -> Object:
            current["metadata"]["finalizers"] = [name for name in _finalizers(current) if name != FOREGROUND]
            return current

        write = Write("kube-controller-manager")
        self._registry.change(kind, namespace_of(obj), name_of(obj), without_finalizer, write)


def _waiting_for_dependents(everything: list[tuple[Kind, Object]]) -> Iterator[tuple[Kind, Object]]:
    owned = {owner["uid"] for _, obj in everything for owner in obj["metadata"].get("ownerReferences") or []}
    return (pair for pair in everything if FOREGROUND in _finalizers(pair[1]) and _uid(pair[1]) not in owned)


def _finalizers(obj: Object) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def _uid(obj: Object) -> str:
    return obj["metadata"]["uid"]
