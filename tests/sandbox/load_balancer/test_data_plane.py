"""The data plane against elbv2 of the sandbox's AWS, with real sockets on both sides."""

import http.client
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.aws.client import client
from sandbox.instance import Sandbox
from tests.sandbox.load_balancer.backend import Backend
from tests.sandbox.polling import eventually

HOST = "api.data-plane-test"


class Connection(http.client.HTTPSConnection):
    """To the sandbox's load balancer, whatever host is asked for."""

    def __init__(self, sandbox: Sandbox, host: str) -> None:
        trust = ssl.create_default_context(cafile=str(sandbox.state / "ca" / "ca.pem"))
        super().__init__("api.genai-demo.com", context=trust, timeout=15)
        self._address = sandbox.addresses.load_balancer
        self._tls, self._headers = trust, {"Host": host}

    def connect(self) -> None:
        address, port = self._address.split(":")
        plain = socket.create_connection((address, int(port)), 15)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        self.request("GET", path, headers={**self._headers, **headers})
        answer = self.getresponse()
        answer.read()
        return answer


@dataclass
class Site:
    """A load balancer with two target groups of one target each, and what changes it."""

    sandbox: Sandbox
    elbv2: Any
    arn: str
    rule: str
    stable: str
    canary: str
    backends: dict[str, Backend]

    def open(self, host: str = HOST) -> Connection:
        return Connection(self.sandbox, host)

    def weigh(self, stable: int, canary: int) -> None:
        self.elbv2.modify_rule(RuleArn=self.rule, Actions=[forward({self.stable: stable, self.canary: canary})])

    def ask(self, times: int, path: str = "/") -> Counter[str]:
        with closing(self.open()) as connection:
            return Counter(str(connection.get(path).headers["X-Served-By"]) for _ in range(times))


def forward(weights: dict[str, int]) -> dict[str, Any]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


@pytest.fixture(scope="module")
def site(sandbox: Sandbox) -> Iterator[Site]:
    sandbox.require("aws", "load_balancer")
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    backends = {
        name: Backend(f"{sandbox.addresses.pod_network}.200.{number}", name)
        for number, name in enumerate(("stable", "canary"), 1)
    }
    groups = {name: make_group(sandbox, elbv2, backend) for name, backend in backends.items()}
    balancer, rule = make_load_balancer(sandbox, elbv2, groups["stable"])
    site = Site(sandbox, elbv2, balancer, rule, groups["stable"], groups["canary"], backends)
    with closing(site.open()) as connection:
        eventually(lambda: is_answered(connection))
    yield site
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    for backend in backends.values():
        backend.close()


def is_answered(connection: Connection) -> bool:
    try:
        return connection.get("/").status == 200
    except http.client.HTTPException:
        connection.close()
        return False


def make_group(sandbox: Sandbox, elbv2: Any, backend: Backend) -> str:
    arn = elbv2.create_target_group(
        Name=f"data-plane-{backend.name}",
        Protocol="HTTP",
        Port=8080,
        VpcId=vpc(sandbox),
        TargetType="ip",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": str(backend.server_address[0]), "Port": 8080}])
    return arn


def vpc(sandbox: Sandbox) -> str:
    return client("ec2", sandbox.addresses, sandbox.settings).describe_vpcs()["Vpcs"][0]["VpcId"]


def make_load_balancer(sandbox: Sandbox, elbv2: Any, group: str) -> tuple[str, str]:
    """ARNs of a load balancer and of its rule for the test's host."""
    subnets = client("ec2", sandbox.addresses, sandbox.settings).describe_subnets()["Subnets"][:2]
    acm = client("acm", sandbox.addresses, sandbox.settings)
    balancer = elbv2.create_load_balancer(Name="data-plane", Subnets=[subnet["SubnetId"] for subnet in subnets])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    https = elbv2.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": acm.request_certificate(DomainName=HOST)["CertificateArn"]}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    rule = elbv2.create_rule(
        ListenerArn=https,
        Priority=1,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [HOST]}}],
        Actions=[forward({group: 1})],
    )["Rules"][0]["RuleArn"]
    return arn, rule


def test_the_target_sees_who_asked_and_how(site: Site) -> None:
    with closing(site.open()) as connection:
        seen = connection.get("/").headers
    assert seen["Seen-Host"] == HOST
    assert seen["Seen-X-Forwarded-For"] == "127.0.0.1"
    assert seen["Seen-X-Forwarded-Proto"] == "https"
    assert seen["Seen-X-Amzn-Trace-Id"].startswith("Root=1-")


def test_a_body_arrives_and_comes_back(site: Site) -> None:
    with closing(site.open()) as connection:
        connection.request("POST", "/", body=b"x" * 100_000, headers={"Host": HOST})
        assert connection.getresponse().read() == b"x" * 100_000


def test_a_host_without_a_rule_gets_the_default_action(site: Site) -> None:
    with closing(site.open("elsewhere")) as connection:
        assert connection.get("/").status == 404


def test_requests_are_split_by_the_weights_of_the_rule(site: Site) -> None:
    site.weigh(stable=0, canary=100)
    eventually(lambda: site.ask(20) == {"canary": 20})
    site.weigh(stable=80, canary=20)
    eventually(lambda: site.ask(20)["stable"])
    assert site.ask(1000)["canary"] == pytest.approx(200, abs=60)
    site.weigh(stable=100, canary=0)
    eventually(lambda: site.ask(20) == {"stable": 20})


@pytest.mark.parametrize(("path", "status"), [("/break", 502), ("/hang", 504)])
def test_a_target_that_does_not_answer_is_the_load_balancers_error(site: Site, path: str, status: int) -> None:
    with closing(site.open()) as connection:
        assert connection.get(path).status == status


def test_an_unhealthy_target_gets_no_requests_while_another_is_healthy(site: Site) -> None:
    canary = {"Id": str(site.backends["canary"].server_address[0]), "Port": 8080}
    site.elbv2.register_targets(TargetGroupArn=site.stable, Targets=[canary])
    eventually(lambda: site.ask(20)["canary"])
    site.backends["canary"].health = 500
    eventually(lambda: site.ask(20) == {"stable": 20})
    site.backends["canary"].health = 200
    eventually(lambda: site.ask(20)["canary"])
    site.elbv2.deregister_targets(TargetGroupArn=site.stable, Targets=[canary])
    eventually(lambda: site.ask(20) == {"stable": 20})


def test_metrics_count_what_went_through_the_sockets(site: Site) -> None:
    before = requests_published(site)
    answered = site.ask(50).total()
    eventually(lambda: requests_published(site) >= before + answered, 15)


def requests_published(site: Site) -> float:
    """RequestCount of the stable target group in the last minutes."""
    cloudwatch = client("cloudwatch", site.sandbox.addresses, site.sandbox.settings)
    now = datetime.now(UTC)
    names = {"TargetGroup": site.stable.rpartition(":")[2], "LoadBalancer": site.arn.partition("loadbalancer/")[2]}
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)
