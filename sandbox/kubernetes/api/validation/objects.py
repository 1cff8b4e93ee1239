"""Validation of objects and of their changes: 422 with every invalid field."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.kubernetes.api.objects.errors import Problem, invalid
from sandbox.kubernetes.api.objects.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    INGRESSES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    SECRETS,
    SERVICES,
    Kind,
    Object,
    name_of,
    value_at,
)
from sandbox.kubernetes.api.objects.selectors import matches_selector
from sandbox.kubernetes.api.validation.names import data_key_problem, label_problems, name_problems
from sandbox.kubernetes.api.validation.pods import pod_problems

MUTABLE_POD_FIELDS = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)"
)


def validate(kind: Kind, obj: Object) -> None:
    """Raise 422 if a field of the object is invalid for its kind."""
    problems = [*name_problems(kind, name_of(obj)), *label_problems(obj["metadata"], "metadata")]
    if check := _CHECKS.get(kind):
        problems += check(obj)
    if problems:
        raise invalid(kind, name_of(obj), *problems)


def validate_change(kind: Kind, before: Object, after: Object) -> None:
    """Raise 422 if an immutable field changes."""
    if problems := list(_change_problems(kind, before, after)):
        raise invalid(kind, name_of(before), *problems)


def _change_problems(kind: Kind, before: Object, after: Object) -> Iterator[Problem]:
    if kind in (CONFIG_MAPS, SECRETS) and before.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if before.get(field) != after.get(field):
                yield field, "Forbidden: field is immutable when `immutable` is set"
    if kind is SECRETS and before.get("type") != after.get("type"):
        yield "type", f"Invalid value: {json.dumps(after.get('type'))}: field is immutable"
    if kind in (DEPLOYMENTS, REPLICA_SETS) and before["spec"]["selector"] != after["spec"].get("selector"):
        yield "spec.selector", f"Invalid value: {_compact(after['spec'].get('selector'))}: field is immutable"
    if kind is SERVICES and value_at(before, "spec.clusterIP") != value_at(after, "spec.clusterIP"):
        address = [value_at(after, "spec.clusterIP")]
        yield "spec.clusterIPs[0]", f"Invalid value: {_compact(address)}: may not change once set"
    if kind is PODS and _fixed(before) != _fixed(after):
        yield "spec", f"Forbidden: pod updates may not change fields other than {MUTABLE_POD_FIELDS}"


def _fixed(pod: Object) -> Object:
    containers = [{**container, "image": ""} for container in pod["spec"].get("containers") or []]
    return {**pod["spec"], "containers": containers, "nodeName": ""}


def _check_workload(obj: Object) -> Iterator[Problem]:
    selector, labels = value_at(obj, "spec.selector"), value_at(obj, "spec.template.metadata.labels")
    if (replicas := value_at(obj, "spec.replicas") or 0) < 0:
        yield "spec.replicas", f"Invalid value: {replicas}: must be greater than or equal to 0"
    if not selector:
        yield "spec.selector", "Required value"
    if not matches_selector(selector or None, labels or {}):
        why = f"Invalid value: {_compact(labels)}: `selector` does not match template `labels`"
        yield "spec.template.metadata.labels", why
    yield from label_problems(value_at(obj, "spec.template.metadata") or {}, "spec.template")
    yield from pod_problems(value_at(obj, "spec.template.spec") or {}, "spec.template.spec")


def _check_pod(obj: Object) -> Iterator[Problem]:
    return pod_problems(obj.get("spec") or {}, "spec")


def _check_keys(obj: Object) -> Iterator[Problem]:
    """The keys of a ConfigMap or a Secret."""
    for field in ("data", "binaryData"):
        for key in obj.get(field) or {}:
            if why := data_key_problem(key):
                yield f"{field}[{key}]", why


def _check_service(obj: Object) -> Iterator[Problem]:
    ports = value_at(obj, "spec.ports") or []
    if not ports and value_at(obj, "spec.clusterIP") != "None":
        yield "spec.ports", "Required value"
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            yield f"spec.ports[{index}].name", "Required value"
        for field in ("port", "targetPort"):
            if isinstance(number := port.get(field), int) and not 0 < number < 65536:
                why = f"Invalid value: {number}: must be between 1 and 65535, inclusive"
                yield f"spec.ports[{index}].{field}", why


def _check_ingress(obj: Object) -> Iterator[Problem]:
    for at, rule in enumerate(value_at(obj, "spec.rules") or []):
        for index, path in enumerate(value_at(rule, "http.paths") or []):
            yield from _path_problems(path, f"spec.rules[{at}].http.paths[{index}]")


def _path_problems(path: Object, where: str) -> Iterator[Problem]:
    kind, text = path.get("pathType"), path.get("path") or ""
    if not kind:
        yield f"{where}.pathType", "Required value: pathType must be specified"
    elif kind not in ("Exact", "ImplementationSpecific", "Prefix"):
        supported = '"Exact", "ImplementationSpecific", "Prefix"'
        yield f"{where}.pathType", f"Unsupported value: {json.dumps(kind)}: supported values: {supported}"
    if kind in ("Exact", "Prefix") and not text.startswith("/"):
        yield f"{where}.path", f"Invalid value: {json.dumps(text)}: must be an absolute path"


def _check_budget(obj: Object) -> Iterator[Problem]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield "spec", f"Invalid value: {_compact(spec)}: minAvailable and maxUnavailable cannot be both set"


def _check_rollout(obj: Object) -> Iterator[Problem]:
    """The controller checks everything else and reports it in the condition InvalidSpec."""
    if obj.get("spec") is None:
        yield "spec", "Required value"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_CHECKS: dict[Kind, Callable[[Object], Iterable[Problem]]] = {
    PODS: _check_pod,
    DEPLOYMENTS: _check_workload,
    REPLICA_SETS: _check_workload,
    SERVICES: _check_service,
    INGRESSES: _check_ingress,
    CONFIG_MAPS: _check_keys,
    SECRETS: _check_keys,
    POD_DISRUPTION_BUDGETS: _check_budget,
    ROLLOUTS: _check_rollout,
}
