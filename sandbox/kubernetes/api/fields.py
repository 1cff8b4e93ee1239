"""Sets of fields, as metadata.managedFields keeps them (format FieldsV1)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.kubernetes.api.kinds import Object
from sandbox.kubernetes.api.lists import ATOMIC_MAPS, SETS, identity, merge_keys

Path = tuple[str, ...]
"""Steps from the object's top: `f:NAME` a field, `k:JSON` a list's item by its keys, `v:JSON` a value of a set."""

MISSING = object()

_UNOWNED = {("f:apiVersion",), ("f:kind",)}
_OWNED_METADATA = {"f:labels", "f:annotations", "f:finalizers", "f:ownerReferences"}


def owned_paths(obj: Object) -> set[Path]:
    """The fields an object sets that somebody can own: leaves, and the items of merged lists."""
    return {path for path in _paths(obj, (), "") if _can_be_owned(path)}


def value_of(obj: Any, path: Path) -> Any:
    """What the object holds at that path, or MISSING."""
    for step in path:
        obj = _step_into(obj, step)
        if obj is MISSING:
            return MISSING
    return obj


def remove_path(obj: Any, path: Path) -> None:
    """Take the field out of the object, and maps and lists that become empty by it."""
    parent = value_of(obj, path[:-1])
    if parent is MISSING or value_of(parent, path[-1:]) is MISSING:
        return
    if isinstance(parent, dict):
        del parent[path[-1][2:]]
    else:
        parent.remove(value_of(parent, path[-1:]))
    if not parent and len(path) > 1:
        remove_path(obj, path[:-1])


def to_fields(paths: Iterable[Path]) -> Object:
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        if path[-1].startswith("k:"):
            node["."] = {}
    return tree


def from_fields(tree: Object, path: Path = ()) -> set[Path]:
    paths: set[Path] = set()
    for step, below in tree.items():
        if step == ".":
            paths.add(path)
        elif below:
            paths |= from_fields(below, (*path, step))
        else:
            paths.add((*path, step))
    return paths


def dotted(path: Path) -> str:
    """The path as messages write it: `.spec.containers[name="backend"].image`."""
    return "".join(_dotted_step(step) for step in path)


def _dotted_step(step: str) -> str:
    if step.startswith("f:"):
        return f".{step[2:]}"
    if step.startswith("v:"):
        return f"[={step[2:]}]"
    keys = json.loads(step[2:])
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"


def _can_be_owned(path: Path) -> bool:
    if path[:1] == ("f:metadata",):
        return len(path) > 1 and path[1] in _OWNED_METADATA
    return path[:1] not in _UNOWNED


def _paths(value: Any, path: Path, field: str) -> Iterator[Path]:
    if isinstance(value, dict) and value and field not in ATOMIC_MAPS:
        for key, below in value.items():
            yield from _paths(below, (*path, f"f:{key}"), key)
    elif isinstance(value, list) and field in SETS:
        yield from ((*path, f"v:{json.dumps(item)}") for item in value)
    elif isinstance(value, list) and value and (keys := merge_keys(field, value)):
        for item in value:
            item_path = (*path, f"k:{identity(item, keys)}")
            yield item_path
            yield from _paths(item, item_path, "")
    else:
        yield path


def _step_into(obj: Any, step: str) -> Any:
    if step.startswith("f:"):
        return obj.get(step[2:], MISSING) if isinstance(obj, dict) else MISSING
    if not isinstance(obj, list):
        return MISSING
    if step.startswith("v:"):
        wanted = json.loads(step[2:])
        return wanted if wanted in obj else MISSING
    keys = tuple(json.loads(step[2:]))
    return next((item for item in obj if isinstance(item, dict) and f"k:{identity(item, keys)}" == step), MISSING)
