"""What a request is about: the object or collection of its path, and the options of its query."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.kubernetes.api.errors import bad_request, no_such_path, unsupported_media_type
from sandbox.kubernetes.api.kinds import Kind, Object, find_kind, namespace_of
from sandbox.kubernetes.api.registry import Write
from sandbox.kubernetes.api.selectors import Matcher, select_fields, select_labels

DEFAULT_WATCH_SECONDS = 1800.0


@dataclass(frozen=True)
class Target:
    """name: "" for the collection. subresource: "" for the object itself."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


def read_target(path: str) -> Target:
    """The target of `/api/v1/...` or `/apis/GROUP/VERSION/...`. Raises 404 for a path that nothing is served at."""
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
    return Write(manager, "dryRun" in query, is_true(query.get("force")), target.subresource)


def read_matcher(target: Target, query: Mapping[str, str]) -> Matcher:
    """Whether an object belongs in the answer: the selectors of the query, and the name if the path has one."""
    by_label = select_labels(query.get("labelSelector", ""))
    by_field = select_fields(query.get("fieldSelector", ""))

    def matches(obj: Object) -> bool:
        is_named = target.name in ("", obj["metadata"]["name"])
        return is_named and by_label(obj) and by_field(obj)

    return matches


def read_body(body: bytes, content_type: str) -> Any:
    """The body of JSON or YAML. Raises 415 for protobuf, 400 for what cannot be read."""
    if "protobuf" in content_type:
        raise unsupported_media_type(["application/json", "application/yaml"])
    try:
        return yaml.safe_load(body) if "yaml" in content_type and body[:1] != b"{" else json.loads(body or b"{}")
    except (yaml.YAMLError, ValueError) as error:
        raise bad_request(f"the body could not be read: {error}") from error


def read_object(target: Target, body: bytes, content_type: str) -> Object:
    """The object in the body. Raises 400 when it is not of the kind, namespace or name of the path."""
    obj = read_body(body, content_type)
    if not isinstance(obj, dict) or not isinstance(obj.setdefault("metadata", {}), dict):
        raise bad_request("the body is not an object")
    if (obj.get("kind") or target.kind.kind) != target.kind.kind:
        raise bad_request(f"{obj.get('kind')} in the body is not the {target.kind.kind} of the path")
    if target.namespace and namespace_of(obj) not in ("", target.namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if target.name and obj["metadata"].get("name") not in (None, target.name):
        raise bad_request("the name of the object does not match the name on the URL")
    return obj


def read_revision(query: Mapping[str, str]) -> int | None:
    """The resource version to go on from; None for `0` and for none, which mean: from what there is."""
    text = query.get("resourceVersion", "")
    if text and not text.isdigit():
        raise bad_request(f"Invalid value: {text!r}: resourceVersion")
    return int(text or 0) or None


def is_true(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1")
