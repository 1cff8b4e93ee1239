"""Sets of fields in the format of metadata.managedFields (FieldsV1)."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sandbox.kubernetes.api.objects.kinds import Kind, Object
from sandbox.kubernetes.api.storage.merge_keys import ATOMIC_MAPS, SETS, identity, merge_keys

Path = tuple[str, ...]
"""Steps from the top of the object: `f:NAME` for a field, `k:JSON` for a list item by its keys, `v:JSON` for a value of
a set.

`i:INDEX` is an item of a list that is owned as a whole. Only error messages contain it.
"""

MISSING = object()

_UNOWNED = {("f:apiVersion",), ("f:kind",)}
_OWNED_METADATA = {"f:labels", "f:annotations", "f:finalizers", "f:ownerReferences"}


def owned_paths(kind: Kind, obj: Object) -> set[Path]:
    """The fields of an object that a manager can own: leaves, and the items of merged lists."""
    return {path for path in _paths(obj, (), "", kind.is_custom) if _can_be_owned(path)}


def find_duplicate(kind: Kind, obj: Object) -> Path | None:
    """The first item of a merged list that has the same keys as an earlier item."""
    seen: set[Path] = set()
    for path in _paths(obj, (), "", kind.is_custom):
        if path[-1].startswith("k:") and path in seen:
            return path
        seen.add(path)
    return None


def enclosing_paths(paths: Iterable[Path]) -> set[Path]:
    """The maps and lists that contain these fields. A manager that adds one to an object also owns the map or list."""
    above = {path[:length] for path in paths for length in range(1, len(path))}
    return {path for path in above if _can_be_owned(path) and path[-1].startswith("f:")}


def keyed_path(kind: Kind, obj: Any, steps: Iterable[str | int]) -> Path:
    """The path for these field names and indexes. Items of merged lists are identified by their keys."""
    path: list[str] = []
    field = ""
    for step in steps:
        if isinstance(step, str):
            field = step
            path.append(f"f:{step}")
        elif keys := merge_keys(field, obj, custom=kind.is_custom):
            path.append(f"k:{identity(obj[step], keys)}")
        else:
            path.append(f"i:{step}")
        obj = obj.get(step) if isinstance(obj, dict) and isinstance(step, str) else obj[step] if obj else None
    return tuple(path)


def value_of(obj: Any, path: Path) -> Any:
    """The value at that path, or MISSING."""
    for step in path:
        obj = _step_into(obj, step)
        if obj is MISSING:
            return MISSING
    return obj


def remove_path(obj: Any, path: Path) -> None:
    """Remove the field from the object, and the maps and lists that become empty."""
    parent = value_of(obj, path[:-1])
    if parent is MISSING or value_of(parent, path[-1:]) is MISSING:
        return
    if isinstance(parent, dict):
        del parent[path[-1][2:]]
    else:
        parent.remove(value_of(parent, path[-1:]))
    if not parent and len(path) > 1:
        remove_path(obj, path[:-1])


def to_fields(paths: Collection[Path]) -> Object:
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
    for path in paths:
        if (node := _node(tree, path)) or path[-1].startswith("k:"):
            # The item or map is owned itself, in addition to the fields below it.
            node["."] = {}
    return tree


def _node(tree: Object, path: Path) -> Object:
    for step in path:
        tree = tree[step]
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


def format_path(path: Path) -> str:
    """The path in the format of error messages: `.spec.containers[name="backend"].image`."""
    return "".join(_format_step(step) for step in path)


def _format_step(step: str) -> str:
    if step.startswith("f:"):
        return f".{step[2:]}"
    if step.startswith("i:"):
        return f"[{step[2:]}]"
    if step.startswith("v:"):
        return f"[={step[2:]}]"
    keys = json.loads(step[2:])
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"


def _can_be_owned(path: Path) -> bool:
    if path[:1] == ("f:metadata",):
        return len(path) > 1 and path[1] in _OWNED_METADATA
    return path[:1] not in _UNOWNED


def _paths(value: Any, path: Path, field: str, custom: bool) -> Iterator[Path]:
    if isinstance(value, dict) and value and field not in ATOMIC_MAPS:
        for key, below in value.items():
            yield from _paths(below, (*path, f"f:{key}"), key, custom)
    elif isinstance(value, list) and field in SETS:
        yield from ((*path, f"v:{json.dumps(item)}") for item in value)
    elif isinstance(value, list) and value and (keys := merge_keys(field, value, custom=custom)):
        for item in value:
            item_path = (*path, f"k:{identity(item, keys)}")
            yield item_path
            yield from _paths(item, item_path, "", custom)
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
