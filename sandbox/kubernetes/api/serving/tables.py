"""Lists as the tables that kubectl prints, with the columns of the API server's printers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox.kubernetes.api.objects.kinds import (
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    EVENTS,
    INGRESSES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Kind,
    Object,
    name_of,
    value_at,
)
from sandbox.kubernetes.api.serving.columns import (
    address_of,
    budget_limit,
    data_of,
    hosts_of,
    involved_object,
    load_balancer_addresses,
    node_of,
    pod_status,
    ports_of,
    ready_of,
    ready_pods,
    restarts_of,
    service_ports,
)
from sandbox.kubernetes.clock import now, parse

Cell = Callable[[Object], object]


@dataclass(frozen=True)
class Column:
    """wide: shown only with `-o wide`."""

    name: str
    cell: Cell
    wide: bool = False


def as_table(kind: Kind, objects: list[Object], metadata: Object) -> Object:
    """A meta.k8s.io/v1 Table of the objects. metadata: of the list."""
    columns = _columns(kind)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [_row(columns, obj) for obj in objects],
    }


def _columns(kind: Kind) -> tuple[Column, ...]:
    if kind is EVENTS:
        return _EVENT_COLUMNS
    declared = [Column(name, _path(path)) for name, path in kind.columns]
    own = _COLUMNS.get(kind, tuple(declared))
    age = Column("Created At", _created) if kind is CUSTOM_RESOURCE_DEFINITIONS else Column("Age", _age)
    narrow = [column for column in own if not column.wide]
    return (Column("Name", name_of), *narrow, age, *(column for column in own if column.wide))


def _definition(column: Column) -> Object:
    form = "name" if column.name == "Name" else ""
    priority = 1 if column.wide else 0
    return {"name": column.name, "type": "string", "format": form, "description": column.name, "priority": priority}


def _row(columns: tuple[Column, ...], obj: Object) -> Object:
    metadata = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    return {"cells": [_text(column.cell(obj)) for column in columns], "object": metadata}


def _path(path: str) -> Cell:
    return lambda obj: value_at(obj, path)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _created(obj: Object) -> str:
    return obj["metadata"]["creationTimestamp"]


def _age(obj: Object) -> str:
    return _since(_created(obj))


def _last_seen(event: Object) -> str:
    return _since(event.get("lastTimestamp") or event.get("eventTime") or _created(event))


def _since(moment: str) -> str:
    start: datetime = parse(moment)
    seconds = int((now() - start).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


_COLUMNS: dict[Kind, tuple[Column, ...]] = {
    REPLICA_SETS: (
        *(Column("Desired", _path("spec.replicas")), Column("Current", _path("status.replicas"))),
        Column("Ready", lambda obj: value_at(obj, "status.readyReplicas") or 0),
    ),
    PODS: (
        *(Column("Ready", ready_of), Column("Status", pod_status), Column("Restarts", restarts_of)),
        *(Column("IP", address_of, wide=True), Column("Node", node_of, wide=True)),
    ),
    DEPLOYMENTS: (
        Column("Ready", ready_pods),
        Column("Up-to-date", lambda obj: value_at(obj, "status.updatedReplicas") or 0),
        Column("Available", lambda obj: value_at(obj, "status.availableReplicas") or 0),
    ),
    SERVICES: (
        *(Column("Type", _path("spec.type")), Column("Cluster-IP", _path("spec.clusterIP"))),
        *(Column("External-IP", lambda _: "<none>"), Column("Port(s)", service_ports)),
    ),
    INGRESSES: (
        *(Column("Class", lambda obj: value_at(obj, "spec.ingressClassName") or "<none>"), Column("Hosts", hosts_of)),
        *(Column("Address", load_balancer_addresses), Column("Ports", ports_of)),
    ),
    POD_DISRUPTION_BUDGETS: (
        Column("Min Available", lambda obj: budget_limit(obj, "minAvailable")),
        Column("Max Unavailable", lambda obj: budget_limit(obj, "maxUnavailable")),
        Column("Allowed Disruptions", _path("status.disruptionsAllowed")),
    ),
    CONFIG_MAPS: (Column("Data", data_of),),
    SECRETS: (Column("Type", _path("type")), Column("Data", data_of)),
    SERVICE_ACCOUNTS: (Column("Secrets", lambda obj: len(obj.get("secrets") or [])),),
}
_EVENT_COLUMNS = (
    *(Column("Last Seen", _last_seen), Column("Type", _path("type")), Column("Reason", _path("reason"))),
    *(Column("Object", involved_object), Column("Message", _path("message"))),
    Column("Name", name_of, wide=True),
)
