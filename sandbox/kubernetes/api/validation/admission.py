"""Admission of new objects, and the comparison of an object before and after a write."""

from collections.abc import Callable
from typing import Any

from sandbox.kubernetes.api.objects.errors import ApiError, forbidden
from sandbox.kubernetes.api.objects.kinds import (
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    TARGET_GROUP_BINDINGS,
    Kind,
    Object,
    name_of,
    namespace_of,
    value_at,
)
from sandbox.kubernetes.api.validation.quotas import require_quota

Find = Callable[[Kind, str, str], Object | None]
Select = Callable[[Kind, str], list[Object]]
GATE_PREFIX = "target-health.elbv2.k8s.aws/"
INJECT_LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"


def admit_new(find: Find, select: Select, kind: Kind, obj: Object) -> None:
    """Raise 404 if the namespace does not exist, 403 if it is terminating.

    For a pod: also raise 403 if its service account does not exist or if it would exceed a quota.
    """
    if not kind.namespaced:
        return
    namespace = find(NAMESPACES, "", namespace_of(obj))
    if namespace is None:
        name = namespace_of(obj)
        raise ApiError(404, "NotFound", f'namespaces "{name}" not found', {"name": name, "kind": "namespaces"})
    if namespace["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {name_of(namespace)} because it is being terminated"
        raise forbidden(kind, name_of(obj), why)
    if kind is PODS:
        _require_service_account(find, obj)
        require_quota(select, obj)


def inject_readiness_gates(find: Find, select: Select, pod: Object) -> None:
    """Do what the load balancer controller's webhook does in namespaces that have its label.

    The pod gets one readiness gate for each target group whose Service selects it now.
    """
    namespace = namespace_of(pod)
    if value_at(find(NAMESPACES, "", namespace), ("metadata", "labels", INJECT_LABEL)) != "enabled":
        return
    gates: list[Object] = []
    labels = pod["metadata"].get("labels") or {}
    for binding in select(TARGET_GROUP_BINDINGS, namespace):
        service = find(SERVICES, namespace, binding["spec"]["serviceRef"]["name"])
        selector = value_at(service, "spec.selector")
        if selector and selector.items() <= labels.items():
            gates.append({"conditionType": GATE_PREFIX + name_of(binding)})
    if gates:
        pod["spec"].setdefault("readinessGates", []).extend(gates)


def increments_generation(kind: Kind, before: Object, after: Object) -> bool:
    """Whether the write changes the desired state and so increments metadata.generation."""
    if kind is DEPLOYMENTS and value_at(before, "metadata.annotations") != value_at(after, "metadata.annotations"):
        return True
    ignored = ("metadata", "status") if kind.has_status else ("metadata",)
    return _without(before, ignored) != _without(after, ignored)


def is_unchanged(before: Object, after: Object) -> bool:
    """Whether two states of an object are equal, except for the times in managedFields."""
    return _without_times(before) == _without_times(after)


def _require_service_account(find: Find, pod: Object) -> None:
    account = pod["spec"]["serviceAccountName"]
    if not find(SERVICE_ACCOUNTS, namespace_of(pod), account):
        why = f'error looking up service account {namespace_of(pod)}/{account}: serviceaccount "{account}" not found'
        raise forbidden(PODS, name_of(pod), why)


def _without(obj: Object, fields: tuple[str, ...]) -> Object:
    return {field: value for field, value in obj.items() if field not in fields}


def _without_times(obj: Object) -> Any:
    metadata = dict(obj["metadata"])
    entries = metadata.pop("managedFields", None) or []
    return _without(obj, ("metadata",)), metadata, [_without(entry, ("time",)) for entry in entries]
