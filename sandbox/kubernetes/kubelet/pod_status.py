"""A pod's status, from the status of its containers and from conditions that other components wrote."""

from sandbox.kubernetes.api.objects.kinds import Object, value_at
from sandbox.kubernetes.clock import timestamp
from sandbox.kubernetes.kubelet.containers import ContainerStatus

NODE = "127.0.0.1"


def pod_status(pod: Object, address: str, containers: list[ContainerStatus]) -> Object:
    """The status to write. Conditions of other components stay unchanged; they also decide the readiness gates."""
    before = pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in before.get("conditions") or []}
    all_ready = all(container.ready for container in containers)
    closed = [gate for gate in _gates(pod) if conditions.get(gate, {}).get("status") != "True"]
    for name, is_true, reason in (
        ("PodScheduled", True, ""),
        ("Initialized", True, ""),
        ("ContainersReady", all_ready, "ContainersNotReady"),
        ("Ready", all_ready and not closed, "ReadinessGatesNotReady" if all_ready else "ContainersNotReady"),
    ):
        conditions[name] = _condition(conditions.get(name), name, is_true, reason)
    return {
        **before,
        "phase": _phase(containers),
        "podIP": address,
        "podIPs": [{"ip": address}],
        "hostIP": NODE,
        "startTime": before.get("startTime") or timestamp(),
        "qosClass": "Burstable",
        "conditions": list(conditions.values()),
        "containerStatuses": [container.as_object() for container in containers],
    }


def _gates(pod: Object) -> list[str]:
    return [gate["conditionType"] for gate in value_at(pod, "spec.readinessGates") or []]


def _condition(before: Object | None, name: str, is_true: bool, reason: str) -> Object:
    status = "True" if is_true else "False"
    since = before["lastTransitionTime"] if before and before["status"] == status else timestamp()
    condition = {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
    return condition if is_true or not reason else {**condition, "reason": reason}


def _phase(containers: list[ContainerStatus]) -> str:
    if any(container.state.get("waiting") and not container.last_state for container in containers):
        return "Pending"
    codes = [container.state.get("terminated", {}).get("exitCode") for container in containers]
    if None in codes or any(container.last_state for container in containers):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"
