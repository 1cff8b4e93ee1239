"""Load balancers created with elbv2, a client for them, and their metrics in CloudWatch."""

import http.client
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.client import client
from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE
from sandbox.tests.load_balancer.backend import Backend


class Connection(http.client.HTTPSConnection):
    """A connection to the load balancer of the sandbox, for any host name."""

    def __init__(self, sandbox: Sandbox, host: str) -> None:
        trust = ssl.create_default_context(cafile=str(sandbox.state / "ca" / "ca.pem"))
        super().__init__("api.genai-demo.com", context=trust, timeout=PATIENCE)
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


def forward(weights: dict[str, int]) -> dict[str, Any]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def not_found_action() -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def create_group(sandbox: Sandbox, backend: Backend) -> str:
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    arn = elbv2.create_target_group(
        Name=f"site-{backend.name}",
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


def create_load_balancer(sandbox: Sandbox, name: str) -> str:
    subnets = client("ec2", sandbox.addresses, sandbox.settings).describe_subnets()["Subnets"][:2]
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    balancer = elbv2.create_load_balancer(Name=name, Subnets=[subnet["SubnetId"] for subnet in subnets])
    return balancer["LoadBalancers"][0]["LoadBalancerArn"]


def create_listener(sandbox: Sandbox, balancer: str, default: dict[str, Any]) -> str:
    acm = client("acm", sandbox.addresses, sandbox.settings)
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    return elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": acm.request_certificate(DomainName="site.test")["CertificateArn"]}],
        DefaultActions=[default],
    )["Listeners"][0]["ListenerArn"]


def create_rule(sandbox: Sandbox, listener: str, host: str, action: dict[str, Any]) -> str:
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    condition = {"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}
    return elbv2.create_rule(ListenerArn=listener, Priority=1, Conditions=[condition], Actions=[action])["Rules"][0][
        "RuleArn"
    ]


def requests_published(sandbox: Sandbox, balancer: str, group: str) -> float:
    """RequestCount of the target group in the last minutes."""
    cloudwatch = client("cloudwatch", sandbox.addresses, sandbox.settings)
    now = datetime.now(UTC)
    names = {"TargetGroup": group.rpartition(":")[2], "LoadBalancer": balancer.partition("loadbalancer/")[2]}
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
