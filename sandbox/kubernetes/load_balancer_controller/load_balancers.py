"""Creates and updates the load balancer of one Ingress, with its listeners and rules."""

from typing import Any

from sandbox.kubernetes.api.objects.kinds import Object, name_of, namespace_of
from sandbox.kubernetes.load_balancer_controller import actions
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations
from sandbox.kubernetes.load_balancer_controller.model import Rule, resource_name

RESOURCE = "ingress.k8s.aws/resource"
STACK = "ingress.k8s.aws/stack"
CLUSTER_TAG = "elbv2.k8s.aws/cluster"
DEFAULT_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


def tags_for(cluster: str, ingress: Object, resource: str) -> list[dict[str, str]]:
    """The controller's own tags, and those in the annotations of the Ingress."""
    stack = f"{namespace_of(ingress)}/{name_of(ingress)}"
    tags = {**Annotations(ingress).pairs("tags"), CLUSTER_TAG: cluster, STACK: stack, RESOURCE: resource}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def ensure_load_balancer(elbv2: Any, ingress: Object, subnets: list[Object], cluster: str) -> Object:
    """Create the load balancer if it does not exist. Returns its description from AWS."""
    annotations = Annotations(ingress)
    identity = f"{namespace_of(ingress)}/{name_of(ingress)}"
    default = resource_name(namespace_of(ingress), name_of(ingress), identity)
    name = annotations.text("load-balancer-name", default)
    found = find_load_balancer(elbv2, name)
    if found is None:
        created = elbv2.create_load_balancer(
            Name=name,
            Scheme=annotations.text("scheme", "internal"),
            Type="application",
            IpAddressType=annotations.text("ip-address-type", "ipv4"),
            Subnets=[subnet["SubnetId"] for subnet in subnets],
            Tags=tags_for(cluster, ingress, "LoadBalancer"),
        )
        found = created["LoadBalancers"][0]
        if attributes := annotations.pairs("load-balancer-attributes"):
            pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
            elbv2.modify_load_balancer_attributes(LoadBalancerArn=found["LoadBalancerArn"], Attributes=pairs)
    return found


def find_load_balancer(elbv2: Any, name: str) -> Object | None:
    try:
        return elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    except elbv2.exceptions.LoadBalancerNotFoundException:
        return None


def ensure_listeners(
    elbv2: Any, balancer: str, ingress: Object, cluster: str, default: dict[str, Any]
) -> list[tuple[str, bool]]:
    """Create, update and delete listeners to match the annotations.

    Returns the ARN of each listener, and whether it has the rules of the Ingress. A listener that only redirects to TLS
    has no rules.
    """
    annotations = Annotations(ingress)
    described = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    by_port = {listener["Port"]: listener for listener in described}
    tls_port = annotations.text("ssl-redirect")
    listeners = []
    for protocol, port in annotations.listen_ports():
        redirects = bool(tls_port) and protocol == "HTTP"
        action = actions.redirect_to_tls(tls_port) if redirects else default
        wanted = {"Protocol": protocol, "Port": port, "DefaultActions": [action], **_tls(annotations, protocol)}
        arn = _ensure_listener(elbv2, balancer, by_port.pop(port, None), wanted, tags_for(cluster, ingress, str(port)))
        listeners.append((arn, not redirects))
    for listener in by_port.values():
        elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    return listeners


def ensure_rules(elbv2: Any, listener: str, rules: list[Rule], groups: actions.Arns) -> None:
    """Create, update and delete the listener's rules, by priority, to match those of the Ingress."""
    described = elbv2.describe_rules(ListenerArn=listener)["Rules"]
    present = {rule["Priority"]: rule for rule in described if not rule["IsDefault"]}
    for priority, rule in enumerate(rules, start=1):
        wanted = {
            "Conditions": actions.conditions_for(rule),
            "Actions": [actions.action_for(rule.action, groups)],
        }
        _ensure_rule(elbv2, listener, priority, present.pop(str(priority), None), wanted)
    for rule in present.values():
        elbv2.delete_rule(RuleArn=rule["RuleArn"])


def _ensure_rule(elbv2: Any, listener: str, priority: int, present: Object | None, wanted: dict[str, Any]) -> None:
    if present is None:
        elbv2.create_rule(ListenerArn=listener, Priority=priority, **wanted)
        return
    same = actions.same_conditions(present["Conditions"], wanted["Conditions"])
    if not (same and actions.same_action(present["Actions"][0], wanted["Actions"][0])):
        elbv2.modify_rule(RuleArn=present["RuleArn"], **wanted)


def _tls(annotations: Annotations, protocol: str) -> dict[str, Any]:
    if protocol != "HTTPS":
        return {}
    certificates = [{"CertificateArn": arn} for arn in annotations.items("certificate-arn")[:1]]
    return {"Certificates": certificates, "SslPolicy": annotations.text("ssl-policy", DEFAULT_POLICY)}


def _ensure_listener(
    elbv2: Any, balancer: str, present: Object | None, wanted: dict[str, Any], tags: list[dict[str, str]]
) -> str:
    if present is None:
        created = elbv2.create_listener(LoadBalancerArn=balancer, Tags=tags, **wanted)
        return created["Listeners"][0]["ListenerArn"]
    same_action = actions.same_action(present["DefaultActions"][0], wanted["DefaultActions"][0])
    others = ("Protocol", "SslPolicy")
    if not same_action or any(wanted.get(field) not in (None, present.get(field)) for field in others):
        elbv2.modify_listener(ListenerArn=present["ListenerArn"], **wanted)
    return present["ListenerArn"]
