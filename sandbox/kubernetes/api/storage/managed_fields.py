"""Field ownership: metadata.managedFields after an update, and server-side apply with its conflicts."""

from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.api.objects.errors import ApiError
from sandbox.kubernetes.api.objects.kinds import Kind, Object, copy_of
from sandbox.kubernetes.api.storage.field_sets import (
    MISSING,
    Path,
    enclosing_paths,
    format_path,
    from_fields,
    owned_paths,
    remove_path,
    to_fields,
    value_of,
)
from sandbox.kubernetes.api.storage.merge_keys import ATOMIC_MAPS, SETS, identity, merge_keys


@dataclass(frozen=True)
class Manager:
    """operation: `Apply` or `Update`. subresource: "" for the object itself."""

    name: str
    operation: str
    subresource: str = ""


Ownership = dict[Manager, set[Path]]
REPLICAS: Path = ("f:spec", "f:replicas")
_TEMPLATE: Path = ("f:spec", "f:template")
# The parts that an object of a built-in kind always has, even if they are empty.
_ALWAYS: tuple[Path, ...] = (
    *(("f:spec",), ("f:status",), _TEMPLATE, (*_TEMPLATE, "f:metadata"), (*_TEMPLATE, "f:spec")),
    *(("f:spec", "f:strategy"), ("f:status", "f:loadBalancer"), ("f:spec", "f:containers")),
    (*_TEMPLATE, "f:spec", "f:containers"),
)


def read_ownership(obj: Object) -> Ownership:
    owned: Ownership = {}
    for entry in obj["metadata"].get("managedFields") or []:
        manager = Manager(entry["manager"], entry["operation"], entry.get("subresource", ""))
        owned[manager] = from_fields(entry.get("fieldsV1") or {})
    return owned


def write_ownership(kind: Kind, obj: Object, owned: Ownership, now: str) -> None:
    """Set managedFields on the object. An entry whose fields did not change keeps its time."""
    before = {_entry_key(entry): entry for entry in obj["metadata"].get("managedFields") or []}
    entries = []
    for manager, paths in owned.items():
        if paths:
            entry = _entry(kind, manager, paths, now)
            previous = before.get(_entry_key(entry))
            unchanged = previous is not None and previous["fieldsV1"] == entry["fieldsV1"]
            entries.append(previous if unchanged else entry)
    obj["metadata"].pop("managedFields", None)
    if entries:
        obj["metadata"]["managedFields"] = entries


def ownership_after_update(kind: Kind, manager: Manager, before: Object, after: Object, owned: Ownership) -> Ownership:
    """Ownership after an update: the manager owns the fields that it changed, and removed fields have no owner.

    A manager also owns the maps and lists that it added. Only managers that write to /status own status fields.
    """
    fields = owned_paths(kind, after)
    around = enclosing_paths(fields)
    changed = {path for path in fields if not _same(before, after, path)}
    changed |= {path for path in around if value_of(before, path) is MISSING}
    if not manager.subresource:
        changed = {path for path in changed if path[0] != "f:status"}
    kept = {other: (paths - changed) & (fields | around) for other, paths in owned.items()}
    kept[manager] = (owned.get(manager, set()) | changed) & (fields | around)
    return kept


def ownership_after_scale(manager: Manager, before: Object, after: Object, owned: Ownership) -> Ownership:
    """Ownership after the replicas changed at /scale: their previous owner loses them.

    As in the API server, replicas have no owner if they are scaled to zero or had no owner before.
    """
    if _same(before, after, REPLICAS):
        return owned
    is_tracked = value_of(after, REPLICAS) != 0 and any(REPLICAS in paths for paths in owned.values())
    kept = {other: paths - {REPLICAS} for other, paths in owned.items()}
    return {**kept, manager: {REPLICAS}} if is_tracked else kept


def zero_value(kind: Kind, obj: Object) -> Object:
    """The state that the API server compares a new object with: empty, except for the parts that the kind requires."""
    zero: Object = {"metadata": {}}
    for path in () if kind.is_custom else _ALWAYS:
        if (value := value_of(obj, path)) is not MISSING:
            value_of(zero, path[:-1])[path[-1][2:]] = type(value)()
    return zero


def apply(kind: Kind, live: Object, applied: Object, manager: Manager, *, force: bool) -> tuple[Object, Ownership]:
    """The live object with the applied one merged into it, and the ownership after that.

    Raises 409 if another manager owns a field that would change, unless forced.
    """
    owned, wanted = read_ownership(live), owned_paths(kind, applied)
    conflicts = _conflicting_paths(owned, wanted, manager, live, applied)
    if conflicts and not force:
        raise _apply_conflict(kind, conflicts)
    merged = _merge(copy_of(live), applied, "", kind.is_custom)
    others = {other: paths for other, paths in owned.items() if other != manager}
    # Shortest path first: a list item is removed as a whole before the keys that identify it.
    for path in sorted(_released_paths(owned.get(manager, set()) - wanted, wanted, others)):
        remove_path(merged, path)
    for other, path in conflicts:
        owned[other] = owned[other] - {path}
    return merged, {**owned, manager: wanted}


def _conflicting_paths(
    owned: Ownership, wanted: set[Path], manager: Manager, live: Object, applied: Object
) -> list[tuple[Manager, Path]]:
    return [
        (other, path)
        for other, paths in owned.items()
        if other != manager
        for path in sorted(paths & wanted, key=_leaves_first)
        if not path[-1].startswith("k:") and not _same(live, applied, path)
    ]


def _leaves_first(path: Path) -> list[tuple[bool, str]]:
    """Order of conflicts: in each map first its own fields, then the fields in its maps and lists."""
    return [(index < len(path) - 1, step) for index, step in enumerate(path)]


def _released_paths(dropped: set[Path], wanted: set[Path], others: Ownership) -> set[Path]:
    """Fields that the manager no longer applies, that no other manager owns and that contain no applied field."""
    owned = wanted.union(*others.values()) if others else wanted
    return {path for path in dropped if not any(other[: len(path)] == path for other in owned)}


def _same(before: Object, after: Object, path: Path) -> bool:
    if path[-1].startswith("k:"):
        return value_of(before, path) is not MISSING
    return value_of(before, path) == value_of(after, path)


def _merge(live: Any, applied: Any, field: str, custom: bool) -> Any:
    """custom: the object is of a custom kind."""
    if isinstance(live, dict) and isinstance(applied, dict) and field not in ATOMIC_MAPS:
        for key, value in applied.items():
            live[key] = _merge(live.get(key), value, key, custom)
        return live
    if isinstance(live, list) and isinstance(applied, list):
        return _merge_lists(live, applied, field, custom)
    return copy_of(applied)


def _merge_lists(live: list[Any], applied: list[Any], field: str, custom: bool) -> list[Any]:
    if field in SETS:
        return live + [item for item in applied if item not in live]
    keys = merge_keys(field, applied, custom=custom)
    if not keys or not merge_keys(field, live, custom=custom):
        return copy_of(applied)
    before = {identity(item, keys): item for item in live}
    merged = {key: _merge(before.get(key), item, "", custom) for item in applied if (key := identity(item, keys))}
    return [merged.get(key) or before[key] for key in _interleaved(list(before), list(merged))]


def _interleaved(live: list[str], applied: list[str]) -> list[str]:
    """The items of both lists in the applied order. Items that are only live stay after the items before them."""
    order: list[str] = []
    left = [key for key in applied if key in live]
    rest = list(applied)
    for key in live:
        if key not in applied:
            order.append(key)
        elif left and key == left[0]:
            order += rest[: rest.index(key) + 1]
            del rest[: rest.index(key) + 1], left[0]
        elif key in left:
            # It is added together with the applied items before it.
            continue
    return order + rest


def _entry(kind: Kind, manager: Manager, paths: set[Path], now: str) -> Object:
    entry = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": kind.group_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields(paths),
    }
    if manager.subresource == "scale":
        # The API server stores no time for this entry.
        del entry["time"]
    return {**entry, "subresource": manager.subresource} if manager.subresource else entry


def _entry_key(entry: Object) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def _apply_conflict(kind: Kind, conflicts: list[tuple[Manager, Path]]) -> ApiError:
    described = {manager: _describe(kind, manager) for manager, _ in conflicts}
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {described[manager]}", "field": format_path(path)}
        for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        what = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = [
            line
            for manager in sorted(described, key=lambda manager: described[manager])
            for line in (f"conflicts with {described[manager]}:", *_fields_of(manager, conflicts))
        ]
        what = f"{len(conflicts)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", f"Apply failed with {what}", {"causes": causes})


def _fields_of(manager: Manager, conflicts: list[tuple[Manager, Path]]) -> list[str]:
    return [f"- {format_path(path)}" for other, path in conflicts if other == manager]


def _describe(kind: Kind, manager: Manager) -> str:
    """A manager in the format of conflict messages."""
    name = f'"{manager.name}"' + (f' with subresource "{manager.subresource}"' if manager.subresource else "")
    if manager.operation == "Apply":
        return name
    return f"{name} using {kind.group_version}"
