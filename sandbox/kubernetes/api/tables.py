"""Lists as the tables that kubectl prints."""

from datetime import datetime

from sandbox.kubernetes.api.kinds import DEPLOYMENTS, PODS, Kind, Object, name_of, value_at
from sandbox.kubernetes.clock import now, parse

# What is counted from several fields comes first.
_COUNTED = {PODS: (("Ready", ""), ("Restarts", "")), DEPLOYMENTS: (("Ready", ""),)}


def as_table(kind: Kind, objects: list[Object], revision: str) -> Object:
    """A meta.k8s.io/v1 Table with the kind's columns between Name and Age."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": revision},
        "columnDefinitions": [_column(name) for name in ("Name", *(name for name, _ in _columns(kind)), "Age")],
        "rows": [_row(kind, obj) for obj in objects],
    }


def _columns(kind: Kind) -> tuple[tuple[str, str], ...]:
    return (*_COUNTED.get(kind, ()), *kind.columns)


def _column(name: str) -> Object:
    form = "name" if name == "Name" else ""
    return {"name": name, "type": "string", "format": form, "description": name, "priority": 0}


def _row(kind: Kind, obj: Object) -> Object:
    metadata = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    values = _pod_values(obj) if kind is PODS else _deployment_values(obj) if kind is DEPLOYMENTS else []
    values += [_text(value_at(obj, path)) for _, path in kind.columns]
    age = _age(parse(obj["metadata"]["creationTimestamp"]))
    return {"cells": [name_of(obj), *values, age], "object": metadata}


def _pod_values(pod: Object) -> list[str]:
    statuses = value_at(pod, "status.containerStatuses") or []
    ready = sum(status["ready"] for status in statuses)
    restarts = sum(status["restartCount"] for status in statuses)
    return [f"{ready}/{len(pod['spec']['containers'])}", str(restarts)]


def _deployment_values(deployment: Object) -> list[str]:
    return [f"{value_at(deployment, 'status.readyReplicas') or 0}/{deployment['spec']['replicas']}"]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _age(created: datetime) -> str:
    seconds = int((now() - created).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"
