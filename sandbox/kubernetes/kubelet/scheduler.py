"""The scheduler: whether the one node has room for what a pod asks for, and what it says where it has not."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.kubernetes.api.kinds import Object, value_at
from sandbox.kubernetes.api.quantities import parse_quantity
from sandbox.kubernetes.clock import timestamp

NODE_NAME = "sandbox"
# As much as three m7i.xlarge leave to pods.
ALLOCATABLE = {"cpu": Decimal(11), "memory": parse_quantity("43Gi")}
CONDITION = "PodScheduled"


def why_no_room(pod: Object, others: Iterable[Object]) -> str | None:
    """The scheduler's words; None where the node has room. others: all pods, of which those that were placed count."""
    placed = [other for other in others if value_at(other, "spec.nodeName") == NODE_NAME]
    lacking = [
        f"1 Insufficient {resource}"
        for resource, most in ALLOCATABLE.items()
        if (asked := requested(pod, resource)) and asked + sum(requested(other, resource) for other in placed) > most
    ]
    if not lacking:
        return None
    preemption = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    return f"0/1 nodes are available: {', '.join(lacking)}. {preemption}"


def requested(pod: Object, resource: str) -> Decimal:
    """Of all containers together; a limit stands for a request that is missing. Nothing once the pod is over."""
    if value_at(pod, "status.phase") in ("Succeeded", "Failed"):
        return Decimal(0)
    containers = [container.get("resources") or {} for container in pod["spec"]["containers"]]
    asked = [(found.get("requests") or found.get("limits") or {}).get(resource) for found in containers]
    return sum((parse_quantity(quantity) for quantity in asked if quantity is not None), Decimal(0))


def place(pod: Object) -> Object:
    pod["spec"]["nodeName"] = NODE_NAME
    return pod


def refuse(pod: Object, why: str) -> Object:
    """The pod, Pending, with the condition that says why it was not placed."""
    status = pod.get("status") or {}
    conditions = [found for found in status.get("conditions") or [] if found["type"] != CONDITION]
    condition = {"type": CONDITION, "status": "False", "reason": "Unschedulable", "message": why}
    since = value_at(pod, "metadata.creationTimestamp") or timestamp()
    conditions.append({**condition, "lastProbeTime": None, "lastTransitionTime": since})
    return {**pod, "status": {**status, "phase": "Pending", "conditions": conditions}}
