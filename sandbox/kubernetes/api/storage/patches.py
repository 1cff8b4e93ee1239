"""The patch formats that change an object: JSON merge patch, JSON patch and strategic merge patch."""

from typing import Any

import jsonpatch

from sandbox.kubernetes.api.objects.errors import bad_request, rejected_patch
from sandbox.kubernetes.api.objects.kinds import Object, copy_of
from sandbox.kubernetes.api.storage.merge_keys import identity, merge_keys

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

_SET_ORDER = "$setElementOrder/"
_DELETE_VALUES = "$deleteFromPrimitiveList/"
_RETAIN = "$retainKeys"


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes a field, objects are merged, any other value replaces."""
    if not isinstance(patch, dict):
        return copy_of(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Object, operations: Any) -> Object:
    """RFC 6902. Raises 422 if an operation is not possible or a test fails."""
    if not isinstance(operations, list):
        found = "object" if isinstance(operations, dict) else "value"
        why = f"json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {why}")
    try:
        return jsonpatch.apply_patch(target, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError) as error:
        raise rejected_patch() from error


def strategic_merge_patch(target: Object, patch: Object) -> Object:
    """Merge lists of built-in kinds item by item, and apply the directives that start with a dollar sign."""
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(target)
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(merged, key, value)
    for key, value in patch.items():
        _apply_directive(merged, key, value)
    return merged


def _merge_field(merged: Object, key: str, value: Any) -> None:
    current = merged.get(key)
    if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
        merged.pop(key, None)
    elif isinstance(value, dict):
        merged[key] = strategic_merge_patch(current if isinstance(current, dict) else {}, value)
    elif isinstance(value, list) and isinstance(current, list):
        merged[key] = _merge_items(key, current, value)
    else:
        merged[key] = _without_directives(value)


def _merge_items(field: str, current: list[Any], patch: list[Any]) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    if field == "finalizers":
        return current + [item for item in patch if item not in current]
    keys = merge_keys(field, current + patch)[:1]
    if not keys:
        return _without_directives(patch)
    items = {identity(item, keys): item for item in current}
    patched = {identity(item, keys): item for item in patch if item.get("$patch") != "delete"}
    merged = [strategic_merge_patch(items.get(key, {}), item) for key, item in patched.items()]
    named = {identity(item, keys) for item in patch}
    return _interleaved([item for key, item in items.items() if key not in named], merged, list(items), keys)


def _interleaved(kept: list[Any], patched: list[Any], order: list[str], keys: tuple[str, ...]) -> list[Any]:
    """Both lists in one: patched items in the patch's order, kept items before the patched items that they preceded.

    Other kept items follow at the end.
    """
    ranks = {key: rank for rank, key in enumerate(order)}
    merged: list[Any] = []
    while kept and patched:
        is_before = ranks[identity(kept[0], keys)] < ranks.get(identity(patched[0], keys), -1)
        merged.append((kept if is_before else patched).pop(0))
    return merged + patched + kept


def _without_directives(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_directives(item) for item in value]
    return strategic_merge_patch({}, value) if isinstance(value, dict) else value


def _apply_directive(merged: Object, directive: str, value: Any) -> None:
    if directive.startswith(_SET_ORDER):
        field = directive.removeprefix(_SET_ORDER)
        merged[field] = _ordered(field, merged.get(field) or [], value)
    elif directive.startswith(_DELETE_VALUES):
        field = directive.removeprefix(_DELETE_VALUES)
        merged[field] = [item for item in merged.get(field) or [] if item not in value]


def _ordered(field: str, items: list[Any], order: list[Any]) -> list[Any]:
    """The items in the given order, then the items that are not in it."""
    keys = merge_keys(field, items)[:1]
    if not keys:
        return [item for item in order if item in items] + [item for item in items if item not in order]
    ranks = {identity(item, keys): rank for rank, item in enumerate(order)}
    return sorted(items, key=lambda item: ranks.get(identity(item, keys), len(ranks)))
