"""Reads a request: the object or collection in its path, the options in its query, and its body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.kubernetes.api.objects.errors import (
    ApiError,
    bad_request,
    invalid,
    invalid_options,
    no_such_path,
    unsupported_media_type,
    untyped,
)
from sandbox.kubernetes.api.objects.kinds import Kind, Object, find_kind, name_of, namespace_of
from sandbox.kubernetes.api.objects.selectors import Matcher, select_fields, select_labels
from sandbox.kubernetes.api.storage.field_sets import find_duplicate, format_path, keyed_path
from sandbox.kubernetes.api.storage.registry import Write
from sandbox.kubernetes.api.validation.decoding import Fault, find_faults, without_unknown

DEFAULT_WATCH_SECONDS = 1800.0
# The error of server-side apply for a wrong type, by the type in the schema. The actual type follows.
_EXPECTED = {
    **dict.fromkeys(("integer", "number"), "expected numeric (int or float), got "),
    "string": "expected string, got ",
    "boolean": "expected boolean, got ",
    "array": "expected list, got ",
    "object": "expected map, got ",
}


@dataclass(frozen=True)
class Target:
    """name: "" for the collection. subresource: "" for the object itself."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


def read_target(path: str) -> Target:
    """The target of `/api/v1/...` or `/apis/GROUP/VERSION/...`. Raises 404 for any other path."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise no_such_path()
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = find_kind(group, version, rest[0])
    if kind is None or len(rest) > 3:
        raise no_such_path()
    name, subresource = [*rest[1:], "", ""][:2]
    return Target(kind, namespace, name, subresource)


def read_write(target: Target, query: Mapping[str, str], user_agent: str) -> Write:
    manager = query.get("fieldManager") or user_agent.split("/", 1)[0] or "unknown"
    return Write(manager, bool(query.get("dryRun")), is_true(query.get("force")), target.subresource)


def read_matcher(target: Target, query: Mapping[str, str]) -> Matcher:
    """A matcher for the query's selectors, and for the name if the path has one."""
    by_label = select_labels(query.get("labelSelector", ""))
    by_field = select_fields(target.kind, query.get("fieldSelector", ""))

    def matches(obj: Object) -> bool:
        is_named = target.name in ("", obj["metadata"]["name"])
        return is_named and by_label(obj) and by_field(obj)

    return matches


def read_body(body: bytes, content_type: str) -> Any:
    """The body, from JSON or YAML. Raises 415 for protobuf, 400 for a body that cannot be parsed."""
    if "protobuf" in content_type:
        raise unsupported_media_type(["application/json", "application/yaml"])
    try:
        return yaml.safe_load(body) if "yaml" in content_type and body[:1] != b"{" else json.loads(body or b"{}")
    except (yaml.YAMLError, ValueError) as error:
        raise bad_request(f"the body could not be read: {error}") from error


def read_object(target: Target, body: bytes, content_type: str) -> Object:
    """The object in the body. Raises 400 if its kind, namespace or name differs from the path."""
    obj = read_body(body, content_type)
    if not isinstance(obj, dict) or not isinstance(obj.setdefault("metadata", {}), dict):
        raise bad_request("the body is not an object")
    if (found := obj.get("kind") or target.kind.kind) != target.kind.kind:
        conversion = (
            f"converting (v1.{found}) to ({target.kind.group or 'core'}.{target.kind.kind}): unknown conversion"
        )
        raise _undecodable(target.kind, conversion, found)
    if target.namespace and namespace_of(obj) not in ("", target.namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    require_name(target, obj)
    return obj


def require_name(target: Target, obj: Object) -> None:
    """Raise 400 if the object has another name than the path."""
    if target.name and (name := obj["metadata"].get("name")) not in (None, target.name):
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({target.name})")


def decode(kind: Kind, obj: Object, query: Mapping[str, str]) -> Object:
    """The object without unknown fields. Raises 400 for a wrong type, and with strict validation for an unknown field.

    A wrong type in an object of a custom kind raises 422.
    """
    faults = find_faults(kind, obj)
    if kind.is_custom:
        _require_schema(kind, obj, faults)
    if wrong := next((fault for fault in faults if fault.message), None):
        raise _undecodable(kind, wrong.message)
    if faults and query.get("fieldValidation") == "Strict":
        unknown = ", ".join(f'unknown field "{fault}"' for fault in faults)
        raise _undecodable(kind, f"strict decoding error: {unknown}")
    return without_unknown(kind, obj)


def _require_schema(kind: Kind, obj: Object, faults: list[Fault]) -> None:
    """Raise 422 for values whose type differs from the custom kind's definition."""
    wrong = [fault for fault in faults if fault.wanted and fault.path[0] != "metadata"]
    if wrong:
        message = 'Invalid value: "{0.found}": {0} in body must be of type {0.wanted}: "{0.found}"'
        raise invalid(kind, name_of(obj), *((str(fault), message.format(fault)) for fault in wrong))


def require_typed(kind: Kind, applied: Object) -> None:
    """Raise 500, as server-side apply does, for a body that does not match the kind's schema."""
    for fault in find_faults(kind, applied):
        where = format_path(keyed_path(kind, applied, fault.path))
        raise untyped(applied, kind, f"{where}: {_untyped(fault)}")
    if item := find_duplicate(kind, applied):
        raise untyped(applied, kind, f"{format_path(item[:-1])}: duplicate entries for key {format_path(item[-1:])}")


def _untyped(fault: Fault) -> str:
    if not fault.message:
        return "field not declared in schema"
    return f"{_EXPECTED[fault.wanted]}{fault.found}" if fault.wanted else fault.message


def _undecodable(kind: Kind, why: str, found: str = "") -> ApiError:
    return bad_request(f'{found or kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')


def read_resource_version(query: Mapping[str, str]) -> int | None:
    """The requested resource version; None for `0` and for no version, which both mean the current state."""
    text = query.get("resourceVersion", "")
    if text and not text.isdigit():
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(500, "", why) if is_true(query.get("watch")) else bad_request(f"invalid resource version: {why}")
    return int(text or 0) or None


def require_dry_run(options: str, query: Mapping[str, str]) -> None:
    """Raise 422 if dryRun has another value than `All`. options: the verb's options type, such as `PatchOptions`."""
    if (value := query.get("dryRun")) not in (None, "", "All"):
        why = f'Unsupported value: ["{value}"]: supported values: "All"'
        raise invalid_options(options, ("dryRun", why))


def is_true(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1")
