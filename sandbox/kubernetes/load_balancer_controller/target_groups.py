"""Target groups, the pods in them, and the readiness gates that wait for their health."""

from typing import Any

from sandbox.kubernetes.api.admission import GATE
from sandbox.kubernetes.api.kinds import Object, name_of, namespace_of, value_at
from sandbox.kubernetes.api.selectors import matches_selector
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
    """ARN of the backend's target group."""
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
        # As the original does: a named port differs by pod, and 1 stands for that.
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
    """The TargetGroupBinding that says which Service fills the target group."""
    labels = {"ingress.k8s.aws/stack-name": name_of(ingress), "ingress.k8s.aws/stack-namespace": namespace_of(ingress)}
    metadata = {"name": backend.group_name, "namespace": backend.namespace, "labels": labels}
    spec = {"serviceRef": {"name": backend.service, "port": backend.port}, "targetGroupARN": arn, "targetType": "ip"}
    return {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": metadata, "spec": spec}


def targets_of(binding: Object, service: Object, pods: list[Object]) -> dict[tuple[str, int], Object]:
    """Address and port of each pod that belongs in the target group now, with the pod."""
    selector = {"matchLabels": value_at(service, "spec.selector") or {}}
    port = service_port(service, binding["spec"]["serviceRef"]["port"])
    if not selector["matchLabels"] or port is None:
        return {}
    chosen = [pod for pod in pods if matches_selector(selector, pod["metadata"].get("labels") or {})]
    return {(pod["status"]["podIP"], _target_port(pod, port)): pod for pod in chosen if _may_be_target(pod, binding)}


def sync_targets(elbv2: Any, arn: str, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Object]:
    """Register and deregister; the health of each target that stays, as elbv2 tells it."""
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
    """The condition to write for the pod's readiness gate; None when it has none or the condition is so already."""
    if not has_gate(pod, binding):
        return None
    gate = GATE + name_of(binding)
    status = "True" if health["State"] == "healthy" else "False"
    said = {"status": status, "reason": health.get("Reason", ""), "message": health.get("Description", "")}
    for condition in value_at(pod, "status.conditions") or []:
        if condition["type"] == gate and said.items() <= condition.items():
            return None
    return {"type": gate, **said, "lastTransitionTime": timestamp()}


def _may_be_target(pod: Object, binding: Object) -> bool:
    """Ready pods, and those that wait for nothing but this target group's health."""
    if pod["metadata"].get("deletionTimestamp") or not value_at(pod, "status.podIP"):
        return False
    holds = {item["type"] for item in value_at(pod, "status.conditions") or [] if item["status"] == "True"}
    return "Ready" in holds or ("ContainersReady" in holds and has_gate(pod, binding))


def has_gate(pod: Object, binding: Object) -> bool:
    """Whether the pod is ready only once it is healthy in the binding's target group."""
    gate = GATE + name_of(binding)
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
