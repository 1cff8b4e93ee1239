"""The application load balancer: its listener rules, and the weights with which they forward."""

from collections.abc import Iterator, Mapping
from typing import Any

from clients.aws.session import aws_client, translated
from delivery.errors import NotFound
from delivery.rollout.weights import ListenerRule


def find_load_balancer(hostname: str, region: str) -> str:
    """ARN of the load balancer with this DNS name, which is in the status of the Ingress."""
    with translated("list the load balancers"):
        pages = aws_client("elbv2", region).get_paginator("describe_load_balancers").paginate()
        found = [item for page in pages for item in page["LoadBalancers"]]
    named = [item["LoadBalancerArn"] for item in found if item["DNSName"].lower() == hostname.lower()]
    if not named:
        raise NotFound(f"There is no load balancer {hostname} in {region}. The status of the Ingress names it.")
    return named[0]


def read_rules(load_balancer_arn: str, region: str) -> tuple[ListenerRule, ...]:
    """All listener rules that forward requests, of all listeners. Default rules are included."""
    elbv2 = aws_client("elbv2", region)
    with translated("read the load balancer's rules"):
        listeners = list(_pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=load_balancer_arn))
        rules = [
            (listener["Port"], rule)
            for listener in listeners
            for rule in _pages(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        ]
    parsed = (parse_rule(port, rule) for port, rule in rules)
    return tuple(rule for rule in parsed if rule.weights)


def parse_rule(port: int, rule: Mapping[str, Any]) -> ListenerRule:
    """A listener rule. Its weights are empty if it redirects or returns a fixed response."""
    hosts, paths = _values(rule, "host-header", "HostHeaderConfig"), _values(rule, "path-pattern", "PathPatternConfig")
    return ListenerRule(
        name=f"with priority {rule['Priority']} on port {port} ({', '.join((*hosts, *paths)) or 'all'})",
        hosts=hosts,
        paths=paths,
        weights={arn: weight for action in rule["Actions"] for arn, weight in _forwards(action)},
    )


def _pages(elbv2: Any, operation: str, key: str, **request: str) -> Iterator[dict[str, Any]]:
    for page in elbv2.get_paginator(operation).paginate(**request):
        yield from page[key]


def _values(rule: Mapping[str, Any], field: str, config: str) -> tuple[str, ...]:
    """The values of a condition. AWS returns them in the older field, the newer field, or both."""
    found = [condition for condition in rule.get("Conditions", ()) if condition["Field"] == field]
    return tuple(value for condition in found for value in condition.get(config, condition).get("Values", ()))


def _forwards(action: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    if action["Type"] != "forward":
        return
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    for group in groups:
        yield group["TargetGroupArn"], group.get("Weight", 1)
