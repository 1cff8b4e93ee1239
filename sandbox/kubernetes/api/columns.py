"""What stands in a table's columns where it is not simply a field."""

from sandbox.kubernetes.api.kinds import Object, value_at


def ready_of(pod: Object) -> str:
    statuses = value_at(pod, "status.containerStatuses") or []
    return f"{sum(status['ready'] for status in statuses)}/{len(pod['spec']['containers'])}"


def restarts_of(pod: Object) -> int:
    return sum(status["restartCount"] for status in value_at(pod, "status.containerStatuses") or [])


def pod_status(pod: Object) -> str:
    """Why its last container waits or ended, where one does; else the pod's phase."""
    told = value_at(pod, "status.reason") or value_at(pod, "status.phase") or ""
    for status in reversed(value_at(pod, "status.containerStatuses") or []):
        state = status.get("state") or {}
        told = value_at(state, "waiting.reason") or _ended(state) or told
    return "Terminating" if pod["metadata"].get("deletionTimestamp") else told


def _ended(state: Object) -> str:
    ended = state.get("terminated")
    return (ended.get("reason") or f"ExitCode:{ended.get('exitCode')}") if ended else ""


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
    """The first three, as the API server counts them."""
    hosts = [rule["host"] for rule in value_at(ingress, "spec.rules") or [] if rule.get("host")]
    if len(hosts) > 3:
        return f"{','.join(hosts[:3])} + {len(hosts) - 3} more..."
    return ",".join(hosts) or "*"


def balancers_of(ingress: Object) -> str:
    """The addresses of its load balancers."""
    found = value_at(ingress, "status.loadBalancer.ingress") or []
    return ",".join(item.get("hostname") or item.get("ip") or "" for item in found)


def ports_of(ingress: Object) -> str:
    return "80, 443" if value_at(ingress, "spec.tls") else "80"


def disruptions_of(budget: Object, field: str) -> object:
    found = value_at(budget, ("spec", field))
    return "N/A" if found is None else found


def data_of(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def involved(event: Object) -> str:
    found = event.get("involvedObject") or {}
    return f"{found.get('kind', '').lower()}/{found.get('name', '')}"
