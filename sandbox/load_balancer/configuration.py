"""The configuration of the load balancers, as read from elbv2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sandbox.aws.services.listener_actions import target_group_arns

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    host: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """The seconds are those of the target group, not divided by the time factor."""

    path: str
    port: str
    interval_seconds: float
    timeout_seconds: float
    healthy_threshold: int
    unhealthy_threshold: int
    codes: str

    @classmethod
    def of(cls, group: Document) -> Self:
        return cls(
            path=group.get("HealthCheckPath") or "/",
            port=group.get("HealthCheckPort") or "traffic-port",
            interval_seconds=float(group.get("HealthCheckIntervalSeconds") or 15),
            timeout_seconds=float(group.get("HealthCheckTimeoutSeconds") or 5),
            healthy_threshold=int(group.get("HealthyThresholdCount") or 5),
            unhealthy_threshold=int(group.get("UnhealthyThresholdCount") or 2),
            codes=group.get("Matcher", {}).get("HttpCode") or "200",
        )

    def port_of(self, target: Target) -> int:
        return target.port if self.port == "traffic-port" else int(self.port)

    def accepts(self, status: int) -> bool:
        """`codes` is a list such as `200,202` or a range such as `200-299`."""
        ranges = (part.partition("-") for part in self.codes.split(","))
        return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


@dataclass(frozen=True)
class TargetGroup:
    """dimension: its name in CloudWatch, `targetgroup/<name>/<id>`."""

    arn: str
    check: HealthCheck
    targets: tuple[Target, ...]

    @property
    def dimension(self) -> str:
        return self.arn.rpartition(":")[2]


@dataclass(frozen=True)
class Rule:
    """conditions, actions: as elbv2 returns them."""

    conditions: tuple[Document, ...]
    actions: tuple[Document, ...]
    is_default: bool


@dataclass(frozen=True)
class Listener:
    """load_balancer: its name in CloudWatch, `app/<name>/<id>`. rules: in the order of their evaluation."""

    load_balancer: str
    protocol: str
    port: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Configuration:
    listeners: tuple[Listener, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=dict)

    def used_groups(self) -> list[tuple[str, TargetGroup]]:
        """The target groups to which rules forward, each once, with the load balancer."""
        actions = [
            (listener.load_balancer, action)
            for listener in self.listeners
            for rule in listener.rules
            for action in rule.actions
        ]
        pairs = {(balancer, arn) for balancer, action in actions for arn in target_group_arns(action)}
        return [(balancer, self.groups[arn]) for balancer, arn in sorted(pairs) if arn in self.groups]


def read_configuration(elbv2: Any) -> Configuration:
    """Read load balancers, listeners, rules, target groups and targets from elbv2."""
    balancers = pages(elbv2, "describe_load_balancers", "LoadBalancers")
    listeners = [
        read_listener(elbv2, balancer["LoadBalancerArn"], listener)
        for balancer in balancers
        for listener in pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
    ]
    groups = [read_group(elbv2, group) for group in pages(elbv2, "describe_target_groups", "TargetGroups")]
    return Configuration(tuple(listeners), {group.arn: group for group in groups})


def read_listener(elbv2: Any, balancer_arn: str, listener: Document) -> Listener:
    rules = pages(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
    return Listener(
        load_balancer=balancer_arn.partition("loadbalancer/")[2],
        protocol=listener["Protocol"],
        port=int(listener["Port"]),
        rules=tuple(Rule(*_parts(rule)) for rule in sorted(rules, key=priority)),
    )


def _parts(rule: Document) -> tuple[tuple[Document, ...], tuple[Document, ...], bool]:
    return tuple(rule.get("Conditions", ())), tuple(rule.get("Actions", ())), rule["Priority"] == "default"


def priority(rule: Document) -> float:
    return float("inf") if rule["Priority"] == "default" else float(rule["Priority"])


def read_group(elbv2: Any, group: Document) -> TargetGroup:
    arn = group["TargetGroupArn"]
    states = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    targets = [state["Target"] for state in states if state["TargetHealth"]["State"] not in ("draining", "unused")]
    return TargetGroup(
        arn=arn,
        check=HealthCheck.of(group),
        targets=tuple(Target(target["Id"], int(target.get("Port") or group["Port"])) for target in targets),
    )


def pages(elbv2: Any, operation: str, key: str, **arguments: str) -> list[Any]:
    return [item for page in elbv2.get_paginator(operation).paginate(**arguments) for item in page[key]]
