"""Namespaces: each gets a default service account; a terminating one is emptied before it is removed."""

from collections.abc import Iterable

from sandbox.kubernetes.api.objects.kinds import NAMESPACES, SERVICE_ACCOUNTS, Object, name_of, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.controllers.loop import Name


class Namespaces:
    """Reconciles one namespace. The namespace part of its name is empty."""

    delay = 0.02

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        if change.kind is NAMESPACES:
            return [("", name_of(change.current))]
        return [("", namespace_of(change.current))] if change.action == "DELETED" else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        found = self._registry.find(NAMESPACES, namespace, name)
        if found is None:
            return None
        if found["metadata"].get("deletionTimestamp"):
            self._empty(found)
        elif not self._registry.find(SERVICE_ACCOUNTS, name, "default"):
            account: Object = {"metadata": {"name": "default"}}
            self._registry.create(SERVICE_ACCOUNTS, name, account, Write("kube-controller-manager"))
        return None

    def _empty(self, namespace: Object) -> None:
        content = [
            (kind, obj)
            for kind, obj in self._registry.store.select_all()
            if kind.namespaced and namespace_of(obj) == name_of(namespace)
        ]
        for kind, obj in content:
            if not obj["metadata"].get("deletionTimestamp"):
                self._registry.delete(kind, namespace_of(obj), name_of(obj))
        if not content:
            self._registry.finish_deletion(NAMESPACES, "", name_of(namespace))
