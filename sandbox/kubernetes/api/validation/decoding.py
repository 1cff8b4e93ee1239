"""Compares bodies with the types of their kind: the official client's models, and Argo's definitions."""

import base64
import binascii
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kubernetes.client import models

from sandbox.kubernetes.api.objects.kinds import CUSTOM_RESOURCE_DEFINITIONS, EVENTS, Kind, Object
from sandbox.kubernetes.api.objects.quantities import parse_quantity
from sandbox.kubernetes.api.validation import custom_fields

_JSON_KINDS = {str: "string", bool: "bool", int: "number", float: "number", dict: "object", list: "array"}
_SCHEMA_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
_GO_TYPES = {"str": "string", "bytes": "[]uint8", "int": "int32", "bool": "bool", "float": "float64"}
_ACCEPTED: dict[str, tuple[type, ...]] = {"str": (str,), "bytes": (str,), "datetime": (str,), "float": (int, float)}
# A quantity may be a number. The models do not say so.
_QUANTITIES = {"limits", "requests", "hard", "used", "capacity", "allocatable", "divisor", "sizeLimit", "averageValue"}

_QUANTITY = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"

Steps = tuple[str | int, ...]
"""Names of fields and indexes of list items, from the object down to one value."""


@dataclass(frozen=True)
class Fault:
    """A field of a wrong type, or an unknown field.

    message: the decoder's error; "" for an unknown field. found, wanted: types in JSON.
    """

    path: Steps
    message: str = ""
    found: str = ""
    wanted: str = ""

    def __str__(self) -> str:
        """The path, such as `spec.ports[0].name`."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)[1:]


def find_faults(kind: Kind, obj: Object) -> list[Fault]:
    """Fields of a wrong type, and fields that the kind does not have."""
    if model := _model_of(kind):
        return list(_faults(obj, model, (), ""))
    return list(_faults(obj.get("metadata"), "V1ObjectMeta", ("metadata",), ""))


def without_unknown(kind: Kind, obj: Object) -> Object:
    """A copy without unknown fields and without null values: the part of a body that the server stores."""
    return _pruned(obj, model) if (model := _model_of(kind)) else obj


def _model_of(kind: Kind) -> str | None:
    """Name of the kind's model; None for a kind that accepts any fields."""
    if kind is CUSTOM_RESOURCE_DEFINITIONS or (kind.is_custom and kind.kind not in custom_fields.MODELS):
        return None
    return kind.kind if kind.is_custom else "CoreV1Event" if kind is EVENTS else f"V1{kind.kind}"


@cache
def _fields(model: str) -> dict[str, str]:
    """The type of each field of a model, by its name in JSON."""
    if own := custom_fields.MODELS.get(model):
        return own
    found = getattr(models, model)
    return {found.attribute_map[name]: type_ for name, type_ in found.openapi_types.items()}


def _item_type(declared: str) -> str | None:
    """The type of the items of a list or the values of a map; None for other types."""
    match = re.fullmatch(r"(?:list\[|dict\(str, |List\[|Dict\[str, )(.*)[])]", declared)
    return match[1] if match else None


def _is_model(declared: str) -> bool:
    return declared in custom_fields.MODELS or inspect.isclass(getattr(models, declared, None))


def _faults(value: Any, declared: str, path: Steps, struct: str) -> Iterator[Fault]:
    if value is None or declared == "object":
        return
    if path and path[-1] in _QUANTITIES:
        yield from _quantity_faults(value, path)
    elif not _is_accepted(value, declared):
        message = _wrong_type(value, declared, path, struct)
        yield Fault(path, message, _SCHEMA_TYPES.get(type(value), "null"), _wanted(declared))
    elif declared == "bytes":
        yield from _base64_faults(value, path)
    elif _is_model(declared):
        yield from _model_faults(value, declared, path)
    elif (below := _item_type(declared)) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, below, (*path, index), struct)
    elif below:
        for key, item in value.items():
            # The decoder's message names the map, not the key.
            faults = _faults(item, below, path, struct)
            yield from (replace(fault, path=(*path, key)) for fault in faults)


def _model_faults(value: Object, model: str, path: Steps) -> Iterator[Fault]:
    fields = _fields(model)
    for name, item in value.items():
        if name in fields:
            yield from _faults(item, fields[name], (*path, name), model)
        else:
            yield Fault((*path, name))


def _is_accepted(value: Any, declared: str) -> bool:
    return isinstance(value, _accepted_types(declared)) and (declared == "bool" or not isinstance(value, bool))


def _accepted_types(declared: str) -> tuple[type, ...]:
    if _is_model(declared) or declared.lower().startswith("dict"):
        return (dict,)
    if declared.lower().startswith("list"):
        return (list,)
    return _ACCEPTED.get(declared, (bool,) if declared == "bool" else (int,))


def _wrong_type(value: Any, declared: str, path: Steps, struct: str) -> str:
    where = ".".join(step for step in path if isinstance(step, str))
    found, wanted = _JSON_KINDS.get(type(value), "null"), _go_type(declared)
    return f"json: cannot unmarshal {found} into Go struct field {_go_name(struct)}.{where} of type {wanted}"


def _wanted(declared: str) -> str:
    return _SCHEMA_TYPES[_accepted_types(declared)[-1]]


def _go_type(declared: str) -> str:
    below = _item_type(declared)
    if below is None:
        return f"v1.{_go_name(declared)}" if _is_model(declared) else _GO_TYPES.get(declared, declared)
    return f"{'[]' if declared.lower().startswith('list') else 'map[string]'}{_go_type(below)}"


def _go_name(model: str) -> str:
    return re.sub(r"^(Core)?V1", "", model)


def _base64_faults(value: str, path: Steps) -> Iterator[Fault]:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        valid = re.match(r"[A-Za-z0-9+/]*", value)
        at = valid.end() if valid and valid.end() < len(value.rstrip("=")) else len(value)
        yield Fault(path, f"illegal base64 data at input byte {at}")


def _quantity_faults(value: Any, path: Steps) -> Iterator[Fault]:
    for quantity in value.values() if isinstance(value, dict) else [value]:
        try:
            parse_quantity(quantity)
        except ValueError:
            yield Fault(path, f"quantities must match the regular expression '{_QUANTITY}'")


def _pruned(value: Any, declared: str) -> Any:
    if isinstance(value, dict) and _is_model(declared):
        fields = _fields(declared)
        present = {name: item for name, item in value.items() if name in fields and item is not None}
        return {name: _pruned(item, fields[name]) for name, item in present.items()}
    below = _item_type(declared)
    if below and isinstance(value, list):
        return [_pruned(item, below) for item in value]
    if below and isinstance(value, dict):
        return {key: _pruned(item, below) for key, item in value.items()}
    return value
