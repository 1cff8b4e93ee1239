"""Label and field selectors in the syntax of list and watch queries, and LabelSelector objects."""

import re
from collections.abc import Callable, Mapping

from sandbox.kubernetes.api.objects.errors import bad_request
from sandbox.kubernetes.api.objects.kinds import EVENTS, NAMESPACES, PODS, REPLICA_SETS, SECRETS, Kind, Object, value_at

Matcher = Callable[[Object], bool]

_SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_EQUALITY = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s*(?P<operator>==|!=|=)\s*(?P<value>[^\s=,()]*)\s*$")
_METADATA_FIELDS = ("metadata.name", "metadata.namespace")
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIELDS = {
    PODS: (
        *("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork"),
        *("status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"),
    ),
    EVENTS: (
        *(f"involvedObject.{field}" for field in _INVOLVED),
        *("reason", "reportingComponent", "source", "type"),
    ),
    SECRETS: ("type",),
    NAMESPACES: ("status.phase",),
    REPLICA_SETS: ("status.replicas",),
}
_EXISTENCE = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s!=,()]+)\s*$")


def select_labels(selector: str) -> Matcher:
    """A matcher for objects whose labels meet every requirement: =, ==, !=, in, notin, KEY, !KEY."""
    requirements = [_label_requirement(part) for part in re.split(r",(?![^()]*\))", selector) if part.strip()]

    def matches(obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(requirement(labels) for requirement in requirements)

    return matches


def select_fields(kind: Kind, selector: str) -> Matcher:
    """A matcher for objects whose fields have the requested values: PATH=VALUE, PATH==VALUE, PATH!=VALUE.

    Raises 400 for a field that is not a field selector of the kind.
    """
    requirements = []
    for part in filter(str.strip, selector.split(",")):
        match = _EQUALITY.match(part)
        if not match:
            raise bad_request(f"invalid field selector: {part!r}")
        _require_field(kind, match["key"])
        requirements.append((match["key"], match["operator"] != "!=", match["value"]))

    def matches(obj: Object) -> bool:
        return all((str(value_at(obj, path) or "") == value) is wanted for path, wanted, value in requirements)

    return matches


def _require_field(kind: Kind, path: str) -> None:
    more = _FIELDS.get(kind, ())
    if path in _METADATA_FIELDS or path in more:
        return
    if more or kind.is_custom:
        raise bad_request(f"field label not supported: {path}")
    known = ", ".join(f'"{field}"' for field in _METADATA_FIELDS)
    raise bad_request(f'"{path}" is not a known field selector: only {known}')


def matches_selector(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether labels match a LabelSelector (matchLabels and matchExpressions). No selector matches no labels."""
    if selector is None:
        return False
    equal = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(_meets(expression, labels) for expression in selector.get("matchExpressions") or [])


def _meets(expression: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]


def _label_requirement(text: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(text):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        wanted = match["operator"] == "in"
        return lambda labels: (labels.get(key) in values) is wanted
    if match := _EQUALITY.match(text):
        key, value, wanted = match["key"], match["value"], match["operator"] != "!="
        return lambda labels: (labels.get(key) == value) is wanted
    if match := _EXISTENCE.match(text):
        key, wanted = match["key"], not match["not"]
        return lambda labels: (key in labels) is wanted
    raise bad_request(f"unable to parse requirement: {text!r}")
