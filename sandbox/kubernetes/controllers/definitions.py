"""CustomResourceDefinitions: a new one becomes Established; the deletion of one deletes its objects."""

from collections.abc import Iterable

from sandbox.kubernetes.api.objects.defaults import CLEANUP
from sandbox.kubernetes.api.objects.kinds import (
    CUSTOM_RESOURCE_DEFINITIONS,
    KINDS,
    Object,
    name_of,
    namespace_of,
    value_at,
)
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.controllers.loop import Name

WRITE = Write("kube-apiserver")


class Definitions:
    """Reconciles one definition. Its namespace is empty."""

    delay = 0.05

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        return [("", name_of(change.current))] if change.kind is CUSTOM_RESOURCE_DEFINITIONS else []

    def reconcile(self, _namespace: str, name: str, /) -> float | None:
        found = self._registry.find(CUSTOM_RESOURCE_DEFINITIONS, "", name)
        if found is None:
            return None
        if found["metadata"].get("deletionTimestamp"):
            self._remove_objects(name)
            self._remove_finalizer(name)
        elif not value_at(found, "status.conditions"):
            self._establish(name)
        return None

    def _remove_objects(self, name: str) -> None:
        for kind in KINDS:
            for obj in self._registry.select(kind) if kind.is_custom and kind.resource == name else ():
                self._registry.finish_deletion(kind, namespace_of(obj), name_of(obj))

    def _remove_finalizer(self, name: str) -> None:
        def build(current: Object) -> Object:
            kept = [finalizer for finalizer in current["metadata"]["finalizers"] if finalizer != CLEANUP]
            return {**current, "metadata": {**current["metadata"], "finalizers": kept}}

        self._registry.change(CUSTOM_RESOURCE_DEFINITIONS, "", name, build, WRITE)

    def _establish(self, name: str) -> None:
        def build(current: Object) -> Object:
            stored = [version["name"] for version in current["spec"]["versions"] if version.get("storage")]
            conditions = [_condition("NamesAccepted", "NoConflicts"), _condition("Established", "InitialNamesAccepted")]
            return {**current, "status": {"conditions": conditions, "storedVersions": stored}}

        write = Write(WRITE.manager, subresource="status")
        self._registry.change(CUSTOM_RESOURCE_DEFINITIONS, "", name, build, write)


def _condition(name: str, reason: str) -> Object:
    return {"type": name, "status": "True", "reason": reason}
