"""The scheduler: whether the only node has enough resources for a pod, and the message if it does not."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.kubernetes.api.objects.kinds import Object, value_at
from sandbox.kubernetes.api.objects.quantities import parse_quantity
from sandbox.kubernetes.clock import timestamp

NODE_NAME = "sandbox"
# The allocatable resources of three m7i.xlarge instances.
ALLOCATABLE = {"cpu": Decimal(11), "memory": parse_quantity("43Gi")}
CONDITION = "PodScheduled"


def unschedulable_message(pod: Object, others: Iterable[Object]) -> str | None:
    """The scheduler's message for an unschedulable pod; None if the pod fits. others: all pods; bound ones count."""
    bound = [other for other in others if value_at(other, "spec.nodeName") == NODE_NAME]
    insufficient = [
        f"1 Insufficient {resource}"
        for resource, most in ALLOCATABLE.items()
        if (own := requested(pod, resource)) and own + sum(requested(other, resource) for other in bound) > most
    ]
    if not insufficient:
        return None
    preemption = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    return f"0/1 nodes are available: {', '.join(insufficient)}. {preemption}"


def requested(pod: Object, resource: str) -> Decimal:
    """The sum of the containers' requests. A limit replaces a missing request. 0 for a finished pod."""
    if value_at(pod, "status.phase") in ("Succeeded", "Failed"):
        return Decimal(0)
    containers = [container.get("resources") or {} for container in pod["spec"]["containers"]]
    quantities = [(found.get("requests") or found.get("limits") or {}).get(resource) for found in containers]
    return sum((parse_quantity(quantity) for quantity in quantities if quantity is not None), Decimal(0))


def bind(pod: Object) -> Object:
    pod["spec"]["nodeName"] = NODE_NAME
    return pod


def mark_unschedulable(pod: Object, message: str) -> Object:
    """The pod in phase Pending, with the condition that says why it was not scheduled."""
    status = pod.get("status") or {}
    conditions = [found for found in status.get("conditions") or [] if found["type"] != CONDITION]
    condition = {"type": CONDITION, "status": "False", "reason": "Unschedulable", "message": message}
    since = value_at(pod, "metadata.creationTimestamp") or timestamp()
    conditions.append({**condition, "lastProbeTime": None, "lastTransitionTime": since})
    return {**pod, "status": {**status, "phase": "Pending", "conditions": conditions}}
