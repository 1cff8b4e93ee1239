"""The lists that are merged item by item, and their merge keys, for strategic merge and server-side apply."""

import json
from typing import Any

from sandbox.kubernetes.api.objects.kinds import Object

_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_DEFAULTS = {"protocol": "TCP"}
_WHOLE_IN_CUSTOM = {"conditions", "volumes"}

ATOMIC_MAPS = {
    *("selector", "labelSelector", "namespaceSelector", "nodeSelector", "involvedObject"),
    *("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef"),
}
"""Objects that are owned and replaced as a whole."""

SETS = {"finalizers"}
"""Lists of plain values that are merged value by value."""


def merge_keys(field: str, items: list[Any], *, custom: bool = False) -> tuple[str, ...]:
    """The keys that identify an item of this list; empty for a list that is replaced as a whole.

    custom: the object is of a custom kind. Its definition has no merge keys for some lists that built-in kinds merge.
    """
    if not all(isinstance(item, dict) for item in items) or (custom and field in _WHOLE_IN_CUSTOM):
        return ()
    keys = _KEYS.get(field, ())
    if field == "ports" and items:
        keys = ("containerPort", "protocol") if any("containerPort" in item for item in items) else ("port", "protocol")
    return keys if all(_has_keys(item, keys) for item in items) else ()


def identity(item: Object, keys: tuple[str, ...]) -> str:
    """The item's keys and their values as compact JSON."""
    values = {key: item.get(key, _DEFAULTS.get(key)) for key in sorted(keys)}
    return json.dumps(values, separators=(",", ":"))


def _has_keys(item: Object, keys: tuple[str, ...]) -> bool:
    return all(key in item or key in _DEFAULTS for key in keys)
