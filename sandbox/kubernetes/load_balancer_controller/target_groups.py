"""Target groups, the pods registered in them, and the readiness gates for their health."""

from typing import Any

from sandbox.kubernetes.api.objects.kinds import Object, name_of, namespace_of, value_at
from sandbox.kubernetes.api.objects.selectors import matches_selector
from sandbox.kubernetes.api.validation.admission import GATE_PREFIX
from sandbox.kubernetes.clock import timestamp
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations
from sandbox.kubernetes.load_balancer_controller.load_balancers import tags_for
from sandbox.kubernetes.load_balancer_controller.model import Backend, service_port

_HEALTH_CHECK = {
    "healthcheck-path": ("HealthCheckPath", str),
    "healthcheck-interval-seconds": ("HealthCheckIntervalSeconds", int),
    "healthcheck-timeout-seconds": ("HealthCheckTimeoutSeconds", int),
    "healthy-threshold-count": ("HealthyThresholdCount", int),
    "unhealthy-threshold-count": ("UnhealthyThresholdCount", int),
    "healthcheck-port": ("HealthCheckPort", str),
    "healthcheck-protocol": ("HealthCheckProtocol", str),
}
_REGISTERED = {"State": "initial", "Reason": "Elb.RegistrationInProgress"}


def ensure_target_group(elbv2: Any, ingress: Object, backend: Backend, service: Object, vpc: str, cluster: str) -> str:
    """Create the backend's target group if it does not exist. Returns its ARN."""
    try:
        found = elbv2.describe_target_groups(Names=[backend.group_name])["TargetGroups"]
        return found[0]["TargetGroupArn"]
    except elbv2.exceptions.TargetGroupNotFoundException:
        pass
    annotations, port = Annotations(ingress), service_port(service, backend.port)
    target = port.get("targetPort", port["port"]) if port else 1
    created = elbv2.create_target_group(
        Name=backend.group_name,
        Protocol=annotations.text("backend-protocol", "HTTP"),
        # As in the real controller: a named port can differ between pods, so the target group gets port 1.
        Port=target if isinstance(target, int) else 1,
        VpcId=vpc,
        TargetType="ip",
        Tags=tags_for(cluster, ingress, backend.resource),
        **_health_check(annotations),
    )
    arn = created["TargetGroups"][0]["TargetGroupArn"]
    if attributes := annotations.pairs("target-group-attributes"):
        pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
        elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=pairs)
    return arn


def binding_for(ingress: Object, backend: Backend, arn: str) -> Object:
    """The TargetGroupBinding that connects the target group to its Service."""
    labels = {"ingress.k8s.aws/stack-name": name_of(ingress), "ingress.k8s.aws/stack-namespace": namespace_of(ingress)}
    metadata = {"name": backend.group_name, "namespace": backend.namespace, "labels": labels}
    spec = {"serviceRef": {"name": backend.service, "port": backend.port}, "targetGroupARN": arn, "targetType": "ip"}
    return {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": metadata, "spec": spec}


def targets_of(binding: Object, service: Object, pods: list[Object]) -> dict[tuple[str, int], Object]:
    """The pods that belong in the target group now, by their address and port."""
    selector = {"matchLabels": value_at(service, "spec.selector") or {}}
    port = service_port(service, binding["spec"]["serviceRef"]["port"])
    if not selector["matchLabels"] or port is None:
        return {}
    chosen = [pod for pod in pods if matches_selector(selector, pod["metadata"].get("labels") or {})]
    return {(pod["status"]["podIP"], _target_port(pod, port)): pod for pod in chosen if _may_be_target(pod, binding)}


def sync_targets(elbv2: Any, arn: str, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Object]:
    """Register and deregister targets. Returns the health of each wanted target, as elbv2 describes it."""
    described = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    states = {
        (item["Target"]["Id"], item["Target"]["Port"]): item["TargetHealth"]
        for item in described
        if item["TargetHealth"]["State"] != "draining"
    }
    if new := wanted - states.keys():
        elbv2.register_targets(TargetGroupArn=arn, Targets=_as_targets(new))
    if old := states.keys() - wanted:
        elbv2.deregister_targets(TargetGroupArn=arn, Targets=_as_targets(old))
    return {target: states.get(target, _REGISTERED) for target in wanted}


def gate_condition(pod: Object, binding: Object, health: Object) -> Object | None:
    """The condition for the pod's readiness gate; None if the pod has no gate or already has this condition."""
    if not has_gate(pod, binding):
        return None
    gate = GATE_PREFIX + name_of(binding)
    status = "True" if health["State"] == "healthy" else "False"
    fields = {"status": status, "reason": health.get("Reason", ""), "message": health.get("Description", "")}
    for condition in value_at(pod, "status.conditions") or []:
        if condition["type"] == gate and fields.items() <= condition.items():
            return None
    return {"type": gate, **fields, "lastTransitionTime": timestamp()}


def _may_be_target(pod: Object, binding: Object) -> bool:
    """Whether the pod is ready, or waits only for its health in this target group."""
    if pod["metadata"].get("deletionTimestamp") or not value_at(pod, "status.podIP"):
        return False
    true = {item["type"] for item in value_at(pod, "status.conditions") or [] if item["status"] == "True"}
    return "Ready" in true or ("ContainersReady" in true and has_gate(pod, binding))


def has_gate(pod: Object, binding: Object) -> bool:
    """Whether the pod has a readiness gate for its health in the binding's target group."""
    gate = GATE_PREFIX + name_of(binding)
    return any(item["conditionType"] == gate for item in value_at(pod, "spec.readinessGates") or [])


def _target_port(pod: Object, port: Object) -> int:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    ports = [item for spec in pod["spec"]["containers"] for item in spec.get("ports") or []]
    return next(item["containerPort"] for item in ports if item.get("name") == target)


def _health_check(annotations: Annotations) -> dict[str, Any]:
    settings = {
        field: convert(text)
        for name, (field, convert) in _HEALTH_CHECK.items()
        if (text := annotations.text(name)) != ""
    }
    return {**settings, "Matcher": {"HttpCode": annotations.text("success-codes", "200")}}


def _as_targets(targets: set[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"Id": address, "Port": port} for address, port in sorted(targets)]
