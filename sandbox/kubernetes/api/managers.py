"""Who owns which field: metadata.managedFields after an update, and server-side apply with its conflicts."""

from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.api.errors import ApiError
from sandbox.kubernetes.api.fields import (
    MISSING,
    Path,
    dotted,
    from_fields,
    owned_paths,
    remove_path,
    to_fields,
    value_of,
)
from sandbox.kubernetes.api.kinds import Kind, Object, copy_of
from sandbox.kubernetes.api.lists import ATOMIC_MAPS, SETS, identity, merge_keys


@dataclass(frozen=True)
class Manager:
    """operation: `Apply` or `Update`. subresource: "" for the object itself."""

    name: str
    operation: str
    subresource: str = ""


Ownership = dict[Manager, set[Path]]


def read_ownership(obj: Object) -> Ownership:
    owned: Ownership = {}
    for entry in obj["metadata"].get("managedFields") or []:
        manager = Manager(entry["manager"], entry["operation"], entry.get("subresource", ""))
        owned[manager] = from_fields(entry.get("fieldsV1") or {})
    return owned


def write_ownership(kind: Kind, obj: Object, owned: Ownership, now: str) -> None:
    """Put managedFields on the object; an entry whose fields are what they were keeps its time."""
    before = {_entry_key(entry): entry for entry in obj["metadata"].get("managedFields") or []}
    entries = []
    for manager, paths in owned.items():
        if paths:
            entry = _entry(kind, manager, paths, now)
            previous = before.get(_entry_key(entry))
            unchanged = previous is not None and previous["fieldsV1"] == entry["fieldsV1"]
            entries.append(previous if unchanged else entry)
    obj["metadata"]["managedFields"] = entries


def own_changes(manager: Manager, before: Object | None, after: Object, owned: Ownership) -> Ownership:
    """Ownership after an update: the manager takes what it changed, and what is gone belongs to nobody."""
    present = owned_paths(after)
    changed = {path for path in present if before is None or not _same(before, after, path)}
    kept = {other: (paths - changed) & present for other, paths in owned.items()}
    kept[manager] = (owned.get(manager, set()) | changed) & present
    return kept


def apply(kind: Kind, live: Object, applied: Object, manager: Manager, *, force: bool) -> tuple[Object, Ownership]:
    """The live object with the applied one merged into it, and who owns what then.

    Raises 409 when another manager owns a field that would change, unless forced.
    """
    owned, wanted = read_ownership(live), owned_paths(applied)
    contested = _contested(owned, wanted, manager, live, applied)
    if contested and not force:
        raise _apply_conflict(kind, contested)
    merged = _merge(copy_of(live), applied, "")
    others = {other: paths for other, paths in owned.items() if other != manager}
    # Shortest first: a list's item goes as a whole, before the keys that tell it apart.
    for path in sorted(_given_up(owned.get(manager, set()) - wanted, wanted, others)):
        remove_path(merged, path)
    for other, path in contested:
        owned[other] = owned[other] - {path}
    return merged, {**owned, manager: wanted}


def _contested(
    owned: Ownership, wanted: set[Path], manager: Manager, live: Object, applied: Object
) -> list[tuple[Manager, Path]]:
    return [
        (other, path)
        for other, paths in owned.items()
        if other != manager
        for path in sorted(paths & wanted)
        if not path[-1].startswith("k:") and not _same(live, applied, path)
    ]


def _given_up(dropped: set[Path], wanted: set[Path], others: Ownership) -> set[Path]:
    """Of the fields the manager no longer applies, those that nobody else owns and nothing applied lies below."""
    held = wanted.union(*others.values()) if others else wanted
    return {path for path in dropped if not any(other[: len(path)] == path for other in held)}


def _same(before: Object, after: Object, path: Path) -> bool:
    if path[-1].startswith("k:"):
        return value_of(before, path) is not MISSING
    return value_of(before, path) == value_of(after, path)


def _merge(live: Any, applied: Any, field: str) -> Any:
    if isinstance(live, dict) and isinstance(applied, dict) and field not in ATOMIC_MAPS:
        for key, value in applied.items():
            live[key] = _merge(live.get(key), value, key)
        return live
    if isinstance(live, list) and isinstance(applied, list):
        return _merge_lists(live, applied, field)
    return copy_of(applied)


def _merge_lists(live: list[Any], applied: list[Any], field: str) -> list[Any]:
    if field in SETS:
        return live + [item for item in applied if item not in live]
    keys = merge_keys(field, applied)
    if not keys or not merge_keys(field, live):
        return copy_of(applied)
    by_identity = {identity(item, keys): item for item in live}
    for item in applied:
        by_identity[identity(item, keys)] = _merge(by_identity.get(identity(item, keys)), item, "")
    return list(by_identity.values())


def _entry(kind: Kind, manager: Manager, paths: set[Path], now: str) -> Object:
    entry = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": kind.group_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields(paths),
    }
    return {**entry, "subresource": manager.subresource} if manager.subresource else entry


def _entry_key(entry: Object) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def _apply_conflict(kind: Kind, contested: list[tuple[Manager, Path]]) -> ApiError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{other.name}" using {kind.group_version}',
            "field": dotted(path),
        }
        for other, path in contested
    ]
    said = "; ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    plural = "conflict" if len(causes) == 1 else "conflicts"
    return ApiError(409, "Conflict", f"Apply failed with {len(causes)} {plural}: {said}", {"causes": causes})
