"""The load balancer's rules and its metrics, read from the sandbox's AWS."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.load_balancer import find_load_balancer, read_rules
from clients.metrics import read_periods
from delivery.canary import Counts, periods_within
from delivery.errors import NotFound
from delivery.weights import Arms, share_of
from sandbox.environment import variables
from sandbox.instance import Sandbox
from tests.aws import SandboxAws

REGION = "us-east-1"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Balancer:
    arn: str
    hostname: str
    stable: str
    canary: str

    @property
    def arms(self) -> Arms:
        return Arms(frozenset({self.stable}), frozenset({self.canary}))


@pytest.fixture(scope="module")
def running(sandbox: Sandbox) -> SandboxAws:
    sandbox.require("aws")
    return SandboxAws(sandbox.addresses.aws)


@pytest.fixture(scope="module")
def balancer(running: SandboxAws) -> Balancer:
    """One with a redirect on port 80, and on port 443 a rule that forwards 20 % to the canary."""
    elbv2 = running.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in running.client("ec2").describe_subnets()["Subnets"]]
    made = elbv2.create_load_balancer(Name="front", Subnets=subnets[:2])["LoadBalancers"][0]
    vpc = made["VpcId"]
    stable, canary = (
        elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
        for name in ("stable", "canary")
    )
    balancer = Balancer(made["LoadBalancerArn"], made["DNSName"], stable, canary)
    make_listeners(elbv2, balancer)
    return balancer


@pytest.fixture(autouse=True)
def _pointed_at_the_sandbox(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def make_listeners(elbv2: Any, balancer: Balancer) -> None:
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    redirect = {"Type": "redirect", "RedirectConfig": {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
    elbv2.create_listener(LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=80, DefaultActions=[redirect])
    listener = elbv2.create_listener(LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=443, DefaultActions=[answer])
    groups = [
        {"TargetGroupArn": balancer.stable, "Weight": 80},
        {"TargetGroupArn": balancer.canary, "Weight": 20},
    ]
    elbv2.create_rule(
        ListenerArn=listener["Listeners"][0]["ListenerArn"],
        Priority=1,
        Conditions=[
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["api.demo"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api", "/api/*"]}},
        ],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )


def count(running: SandboxAws, balancer: Balancer, group: str, at: datetime, **metrics: int) -> None:
    dimensions = {
        "LoadBalancer": balancer.arn.partition("loadbalancer/")[2],
        "TargetGroup": group.rpartition(":")[2],
    }
    data = [
        {
            "MetricName": name,
            "Timestamp": at,
            "Value": value,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }
        for name, value in metrics.items()
    ]
    running.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def test_the_load_balancer_is_found_by_the_name_in_the_ingress_status(balancer: Balancer) -> None:
    assert find_load_balancer(balancer.hostname.upper(), REGION) == balancer.arn


def test_a_load_balancer_that_is_not_there_is_named(balancer: Balancer) -> None:
    with pytest.raises(NotFound, match=r"no load balancer gone\.example"):
        find_load_balancer("gone.example", REGION)


def test_only_rules_that_forward_are_read(balancer: Balancer) -> None:
    (rule,) = read_rules(balancer.arn, REGION)
    assert (rule.hosts, rule.paths) == (("api.demo",), ("/api", "/api/*"))
    assert share_of(rule, balancer.arms) == 20


def test_each_arm_is_counted_in_its_own_periods(running: SandboxAws, balancer: Balancer) -> None:
    noon = datetime.now(UTC).replace(second=0, microsecond=0) - 10 * MINUTE
    answers = {"HTTPCode_Target_2XX_Count": 90, "HTTPCode_Target_4XX_Count": 5, "HTTPCode_Target_5XX_Count": 3}
    count(running, balancer, balancer.canary, noon, RequestCount=100, **answers)
    count(running, balancer, balancer.stable, noon, RequestCount=400, HTTPCode_Target_2XX_Count=400)
    count(running, balancer, balancer.canary, noon + MINUTE, RequestCount=7, HTTPCode_Target_2XX_Count=7)
    starts = periods_within(noon, noon + 3 * MINUTE, MINUTE)
    first, second, third = read_periods(balancer.arn, balancer.arms, REGION, starts=starts, period=MINUTE)
    assert (first.stable, first.canary) == (Counts(400, 0), Counts(100, 5))
    assert (second.stable, second.canary) == (Counts(), Counts(7, 0))
    assert not third.has_data


def test_without_target_groups_there_is_nothing_to_count(balancer: Balancer) -> None:
    starts = periods_within(datetime.now(UTC) - MINUTE, datetime.now(UTC), MINUTE)
    assert read_periods(balancer.arn, Arms(frozenset(), frozenset()), REGION, starts=starts, period=MINUTE) == ()
