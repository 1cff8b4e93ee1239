"""Objects the API server refuses: 422 with the field at fault."""

import re
from collections.abc import Callable

from sandbox.kubernetes.api.errors import invalid
from sandbox.kubernetes.api.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    INGRESSES,
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
from sandbox.kubernetes.api.selectors import matches_selector

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TYPES: dict[str, tuple[type, ...]] = {
    "spec": (dict,),
    "spec.replicas": (int,),
    "spec.paused": (bool,),
    "spec.selector": (dict,),
    "spec.template": (dict,),
    "spec.progressDeadlineSeconds": (int,),
    "spec.strategy": (dict,),
    "spec.strategy.canary": (dict,),
    "spec.strategy.canary.steps": (list,),
    "spec.strategy.canary.trafficRouting": (dict,),
}


def validate(kind: Kind, obj: Object) -> None:
    """Raise 422 if the object is not one of its kind."""
    name = name_of(obj)
    if not name:
        raise invalid(kind, name, "metadata.name", "Required value: name or generateName is required")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise invalid(kind, name, "metadata.name", f'Invalid value: "{name}": must be a lowercase RFC 1123 subdomain')
    if check := _CHECKS.get(kind):
        check(kind, obj)


def validate_change(kind: Kind, before: Object, after: Object) -> None:
    """Raise 422 if the change touches what must stay as it is."""
    if kind in (CONFIG_MAPS, SECRETS) and before.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if before.get(field) != after.get(field):
                raise invalid(kind, name_of(before), field, "Forbidden: field is immutable when `immutable` is set")
    if kind in (DEPLOYMENTS, REPLICA_SETS) and before["spec"]["selector"] != after["spec"].get("selector"):
        raise invalid(kind, name_of(before), "spec.selector", "Invalid value: field is immutable")
    if kind is PODS and _fixed(before) != _fixed(after):
        why = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"
        raise invalid(kind, name_of(before), "spec", why)


def _fixed(pod: Object) -> Object:
    containers = [{**container, "image": ""} for container in pod["spec"].get("containers") or []]
    return {**pod["spec"], "containers": containers, "nodeName": ""}


def _check_workload(kind: Kind, obj: Object) -> None:
    _require(kind, obj, "spec.selector", "spec.template")
    labels = value_at(obj, "spec.template.metadata.labels") or {}
    if not matches_selector(obj["spec"]["selector"], labels):
        why = f"Invalid value: {labels}: `selector` does not match template `labels`"
        raise invalid(kind, name_of(obj), "spec.template.metadata.labels", why)
    _check_containers(kind, obj, "spec.template.spec")


def _check_pod(kind: Kind, obj: Object) -> None:
    _check_containers(kind, obj, "spec")


def _check_containers(kind: Kind, obj: Object, path: str) -> None:
    containers = value_at(obj, f"{path}.containers")
    if not containers:
        raise invalid(kind, name_of(obj), f"{path}.containers", "Required value")
    volumes = {volume.get("name") for volume in value_at(obj, f"{path}.volumes") or []}
    for index, container in enumerate(containers):
        where = f"{path}.containers[{index}]"
        for field in ("name", "image"):
            if not container.get(field):
                raise invalid(kind, name_of(obj), f"{where}.{field}", "Required value")
        for mount in container.get("volumeMounts") or []:
            if mount.get("name") not in volumes:
                field = f"{where}.volumeMounts[{mount.get('name')}].name"
                raise invalid(kind, name_of(obj), field, f'Not found: "{mount.get("name")}"')


def _check_service(kind: Kind, obj: Object) -> None:
    if not value_at(obj, "spec.ports") and value_at(obj, "spec.clusterIP") != "None":
        raise invalid(kind, name_of(obj), "spec.ports", "Required value")


def _check_ingress(kind: Kind, obj: Object) -> None:
    annotation = (obj["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    wanted = value_at(obj, "spec.ingressClassName")
    if annotation and wanted:
        why = f'Invalid value: "{annotation}": can not be set when the class field is also set'
        raise invalid(kind, name_of(obj), "annotations.kubernetes.io/ingress.class", why)
    for rule in value_at(obj, "spec.rules") or []:
        for path in value_at(rule, "http.paths") or []:
            if path.get("pathType") not in ("Exact", "Prefix", "ImplementationSpecific"):
                field = "spec.rules.http.paths.pathType"
                raise invalid(kind, name_of(obj), field, "Required value: pathType must be specified")


def _check_rollout(kind: Kind, obj: Object) -> None:
    """What the CustomResourceDefinition's schema says; the rest is for the controller's condition InvalidSpec."""
    for path, types in _TYPES.items():
        value = value_at(obj, path)
        is_bool_for_int = isinstance(value, bool) and bool not in types
        if value is not None and (not isinstance(value, types) or is_bool_for_int):
            wanted = {dict: "object", int: "integer", bool: "boolean", list: "array"}[types[0]]
            why = f'Invalid value: "{type(value).__name__}": {path} in body must be of type {wanted}'
            raise invalid(kind, name_of(obj), path, why)
    _require(kind, obj, "spec")


def _require(kind: Kind, obj: Object, *paths: str) -> None:
    for path in paths:
        if value_at(obj, path) is None:
            raise invalid(kind, name_of(obj), path, "Required value")


_CHECKS: dict[Kind, Callable[[Kind, Object], None]] = {
    PODS: _check_pod,
    DEPLOYMENTS: _check_workload,
    REPLICA_SETS: _check_workload,
    SERVICES: _check_service,
    INGRESSES: _check_ingress,
    ROLLOUTS: _check_rollout,
}
