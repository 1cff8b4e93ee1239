"""The table cells that are computed from more than one field."""

from sandbox.kubernetes.api.objects.kinds import Object, value_at


def ready_of(pod: Object) -> str:
    statuses = value_at(pod, "status.containerStatuses") or []
    return f"{sum(status['ready'] for status in statuses)}/{len(pod['spec']['containers'])}"


def restarts_of(pod: Object) -> int:
    return sum(status["restartCount"] for status in value_at(pod, "status.containerStatuses") or [])


def pod_status(pod: Object) -> str:
    """Why its first waiting or terminated container waits or terminated; without one, the pod's phase."""
    shown = value_at(pod, "status.reason") or value_at(pod, "status.phase") or ""
    for status in reversed(value_at(pod, "status.containerStatuses") or []):
        state = status.get("state") or {}
        shown = value_at(state, "waiting.reason") or _termination_reason(state) or shown
    return "Terminating" if pod["metadata"].get("deletionTimestamp") else shown


def _termination_reason(state: Object) -> str:
    terminated = state.get("terminated")
    return (terminated.get("reason") or f"ExitCode:{terminated.get('exitCode')}") if terminated else ""


def address_of(pod: Object) -> str:
    return value_at(pod, "status.podIP") or "<none>"


def node_of(pod: Object) -> str:
    return value_at(pod, "spec.nodeName") or "<none>"


def ready_pods(deployment: Object) -> str:
    return f"{value_at(deployment, 'status.readyReplicas') or 0}/{deployment['spec']['replicas']}"


def service_ports(service: Object) -> str:
    ports = value_at(service, "spec.ports") or []
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or "<none>"


def hosts_of(ingress: Object) -> str:
    """The first three hosts and the number of the others, as the API server prints them."""
    hosts = [rule["host"] for rule in value_at(ingress, "spec.rules") or [] if rule.get("host")]
    if len(hosts) > 3:
        return f"{','.join(hosts[:3])} + {len(hosts) - 3} more..."
    return ",".join(hosts) or "*"


def load_balancer_addresses(ingress: Object) -> str:
    """The addresses of its load balancers."""
    found = value_at(ingress, "status.loadBalancer.ingress") or []
    return ",".join(item.get("hostname") or item.get("ip") or "" for item in found)


def ports_of(ingress: Object) -> str:
    return "80, 443" if value_at(ingress, "spec.tls") else "80"


def budget_limit(budget: Object, field: str) -> object:
    found = value_at(budget, ("spec", field))
    return "N/A" if found is None else found


def data_of(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def involved_object(event: Object) -> str:
    found = event.get("involvedObject") or {}
    return f"{found.get('kind', '').lower()}/{found.get('name', '')}"
