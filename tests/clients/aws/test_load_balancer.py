"""The listener rules and the metrics of the load balancer, read from the sandbox's AWS."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.aws.load_balancer import find_load_balancer, read_rules
from clients.aws.metrics import read_periods, read_requests
from delivery.canary.counts import Counts, Period, Slow, periods_within
from delivery.errors import NotFound, Unavailable
from delivery.rollout.weights import TargetGroups, weight_of
from sandbox.environment import variables
from sandbox.instance import Sandbox
from tests.aws import SandboxAws

REGION = "us-east-1"
MINUTE = timedelta(minutes=1)
OBJECTIVE = timedelta(milliseconds=500)


@dataclass(frozen=True)
class Balancer:
    arn: str
    hostname: str
    stable: str
    canary: str

    @property
    def arms(self) -> TargetGroups:
        return TargetGroups(*(frozenset({group} - {""}) for group in (self.stable, self.canary)))


@pytest.fixture(scope="module")
def running(sandbox: Sandbox) -> SandboxAws:
    sandbox.require("aws")
    return SandboxAws(sandbox.addresses.aws)


@pytest.fixture(scope="module")
def balancer(running: SandboxAws) -> Balancer:
    """A load balancer that redirects on port 80 and forwards 20 % to the canary on port 443."""
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
def _sandbox_variables(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def make_listeners(elbv2: Any, balancer: Balancer) -> None:
    not_found = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    redirect = {"Type": "redirect", "RedirectConfig": {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
    elbv2.create_listener(LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=80, DefaultActions=[redirect])
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=443, DefaultActions=[not_found]
    )
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


def count(running: SandboxAws, balancer: Balancer, group: str | None, at: datetime, **metrics: float) -> None:
    """Publish metrics. group: None for the whole load balancer."""
    dimensions = {"LoadBalancer": balancer.arn.partition("loadbalancer/")[2]}
    dimensions |= {"TargetGroup": group.rpartition(":")[2]} if group else {}
    data = [datum(dimensions, name, at, Value=value) for name, value in metrics.items()]
    running.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def datum(dimensions: dict[str, str], name: str, at: datetime, **values: Any) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"MetricName": name, "Timestamp": at, "Dimensions": pairs, **values}


def respond_in(running: SandboxAws, balancer: Balancer, group: str, at: datetime, *seconds: float) -> None:
    """Publish response times as a load balancer does, one value per response."""
    dimensions = {"LoadBalancer": balancer.arn.partition("loadbalancer/")[2], "TargetGroup": group.rpartition(":")[2]}
    data = [datum(dimensions, "TargetResponseTime", at, Values=list(seconds))]
    running.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def test_the_load_balancer_is_found_by_the_name_in_the_ingress_status(balancer: Balancer) -> None:
    assert find_load_balancer(balancer.hostname.upper(), REGION) == balancer.arn


def test_a_missing_load_balancer_is_named(balancer: Balancer) -> None:
    with pytest.raises(NotFound, match=r"no load balancer gone\.example"):
        find_load_balancer("gone.example", REGION)


def test_only_rules_that_forward_are_read(balancer: Balancer) -> None:
    (rule,) = read_rules(balancer.arn, REGION)
    assert (rule.hosts, rule.paths) == (("api.demo",), ("/api", "/api/*"))
    assert weight_of(rule, balancer.arms) == 20


def test_each_arm_is_counted_in_each_period(running: SandboxAws, balancer: Balancer) -> None:
    noon = datetime.now(UTC).replace(second=0, microsecond=0) - 10 * MINUTE
    responses = {"HTTPCode_Target_2XX_Count": 90, "HTTPCode_Target_4XX_Count": 5, "HTTPCode_Target_5XX_Count": 3}
    count(running, balancer, balancer.canary, noon, RequestCount=100, **responses)
    count(running, balancer, balancer.stable, noon, RequestCount=400, HTTPCode_Target_2XX_Count=400)
    count(running, balancer, balancer.canary, noon + MINUTE, RequestCount=7, HTTPCode_Target_2XX_Count=7)
    starts = periods_within(noon, noon + 3 * MINUTE, MINUTE)
    first, second, third = read_periods(
        balancer.arn, balancer.arms, REGION, starts=starts, period=MINUTE, slow_after=OBJECTIVE
    )
    assert (first.stable, first.canary) == (Counts(400, 0), Counts(100, 5))
    assert (second.stable, second.canary) == (Counts(), Counts(7, 0))
    assert not third.has_data


def test_a_missing_data_point_of_failures_is_zero(running: SandboxAws, balancer: Balancer) -> None:
    at = minutes_ago(20)
    count(running, balancer, balancer.canary, at, RequestCount=9, HTTPCode_Target_2XX_Count=9)
    (period,) = read_minute(balancer, at)
    assert period.canary == Counts(9, 0)


def test_responses_over_the_latency_objective_are_slow(running: SandboxAws, balancer: Balancer) -> None:
    at = minutes_ago(30)
    respond_in(running, balancer, balancer.canary, at, 0.1, 0.5, 0.6, 2.0)
    respond_in(running, balancer, balancer.stable, at, 0.1, 0.2, 0.51)
    (period,) = read_minute(balancer, at)
    assert period.slow == Slow(stable=1, canary=2)


def test_without_responses_none_is_slow(balancer: Balancer) -> None:
    (period,) = read_minute(balancer, minutes_ago(40))
    assert period.slow == Slow(0, 0)


def test_an_infinite_count_cannot_be_used(running: SandboxAws, balancer: Balancer) -> None:
    at = minutes_ago(50)
    count(running, balancer, balancer.canary, at, RequestCount=float("inf"))
    with pytest.raises(Unavailable, match=r"RequestCount at .* is inf, which is not a count"):
        read_minute(balancer, at)


def test_requests_are_counted_for_the_whole_load_balancer(running: SandboxAws, balancer: Balancer) -> None:
    at = minutes_ago(70)
    count(running, balancer, None, at, RequestCount=90)
    starts = periods_within(at - MINUTE, at + MINUTE, MINUTE)
    assert read_requests(balancer.arn, REGION, starts=starts, period=MINUTE) == (0, 90)


def test_without_target_groups_nothing_is_counted(balancer: Balancer) -> None:
    without = replace(balancer, stable="", canary="")
    assert without.arms == TargetGroups(frozenset(), frozenset())
    assert read_minute(without, minutes_ago(5)) == ()


def minutes_ago(number: int) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - number * MINUTE


def read_minute(balancer: Balancer, at: datetime) -> tuple[Period, ...]:
    return read_periods(balancer.arn, balancer.arms, REGION, starts=[at], period=MINUTE, slow_after=OBJECTIVE)
