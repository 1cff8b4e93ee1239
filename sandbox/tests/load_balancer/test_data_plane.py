"""The data plane with elbv2 of the imitated AWS, and with real sockets on both sides."""

import http.client
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.aws.client import client
from sandbox.instance import Sandbox
from sandbox.testing import eventually
from sandbox.tests.load_balancer.backend import Backend
from sandbox.tests.load_balancer.site import (
    Connection,
    create_group,
    create_listener,
    create_load_balancer,
    create_rule,
    forward,
    not_found_action,
    requests_published,
)

HOST = "api.data-plane-test"


@dataclass
class Site:
    """A load balancer with two target groups, each with one target."""

    sandbox: Sandbox
    elbv2: Any
    arn: str
    rule: str
    stable: str
    canary: str
    backends: dict[str, Backend]

    def open(self, host: str = HOST) -> Connection:
        return Connection(self.sandbox, host)

    def set_weights(self, stable: int, canary: int) -> None:
        self.elbv2.modify_rule(RuleArn=self.rule, Actions=[forward({self.stable: stable, self.canary: canary})])

    def send(self, times: int, path: str = "/") -> Counter[str]:
        """Send requests and count the responses of each target."""
        with closing(self.open()) as connection:
            return Counter(str(connection.get(path).headers["X-Served-By"]) for _ in range(times))


@pytest.fixture(scope="module")
def site(sandbox: Sandbox) -> Iterator[Site]:
    sandbox.require("aws", "load_balancer")
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    backends = {
        name: Backend(f"{sandbox.addresses.pod_network}.200.{number}", name)
        for number, name in enumerate(("stable", "canary"), 1)
    }
    groups = {name: create_group(sandbox, backend) for name, backend in backends.items()}
    balancer = create_load_balancer(sandbox, "data-plane")
    listener = create_listener(sandbox, balancer, not_found_action())
    rule = create_rule(sandbox, listener, HOST, forward({groups["stable"]: 1}))
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


def test_the_target_gets_the_client_and_the_protocol(site: Site) -> None:
    with closing(site.open()) as connection:
        seen = connection.get("/").headers
    assert seen["Seen-Host"] == HOST
    assert seen["Seen-X-Forwarded-For"] == "127.0.0.1"
    assert seen["Seen-X-Forwarded-Proto"] == "https"
    assert seen["Seen-X-Amzn-Trace-Id"].startswith("Root=1-")


def test_bodies_of_request_and_response_are_forwarded(site: Site) -> None:
    with closing(site.open()) as connection:
        connection.request("POST", "/", body=b"x" * 100_000, headers={"Host": HOST})
        assert connection.getresponse().read() == b"x" * 100_000


def test_a_host_without_a_rule_gets_the_default_action(site: Site) -> None:
    with closing(site.open("elsewhere")) as connection:
        assert connection.get("/").status == 404


def test_requests_are_split_by_the_weights_of_the_rule(site: Site) -> None:
    site.set_weights(stable=0, canary=100)
    eventually(lambda: site.send(20) == {"canary": 20})
    site.set_weights(stable=80, canary=20)
    eventually(lambda: site.send(20)["stable"])
    assert site.send(1000)["canary"] == pytest.approx(200, abs=60)
    site.set_weights(stable=100, canary=0)
    eventually(lambda: site.send(20) == {"stable": 20})


@pytest.mark.parametrize(("path", "status"), [("/break", 502), ("/hang", 504)])
def test_a_target_that_does_not_answer_is_an_error_of_the_load_balancer(site: Site, path: str, status: int) -> None:
    with closing(site.open()) as connection:
        assert connection.get(path).status == status


def test_an_unhealthy_target_gets_no_requests_while_another_is_healthy(site: Site) -> None:
    canary = {"Id": str(site.backends["canary"].server_address[0]), "Port": 8080}
    site.elbv2.register_targets(TargetGroupArn=site.stable, Targets=[canary])
    eventually(lambda: site.send(20)["canary"])
    site.backends["canary"].health = 500
    eventually(lambda: site.send(20) == {"stable": 20})
    site.backends["canary"].health = 200
    eventually(lambda: site.send(20)["canary"])
    site.elbv2.deregister_targets(TargetGroupArn=site.stable, Targets=[canary])
    eventually(lambda: site.send(20) == {"stable": 20})


def test_elbv2_returns_the_health_that_the_load_balancer_reports(site: Site) -> None:
    address = f"{site.sandbox.addresses.pod_network}.200.3"
    backend = Backend(address, "third")
    backend.health = 503
    target = {"Id": address, "Port": 8080}

    def health() -> tuple[str, str]:
        described = site.elbv2.describe_target_health(TargetGroupArn=site.canary)["TargetHealthDescriptions"]
        described_health = next(found["TargetHealth"] for found in described if found["Target"] == target)
        return described_health["State"], described_health.get("Description", "")

    site.elbv2.register_targets(TargetGroupArn=site.canary, Targets=[target])
    assert health() == ("initial", "Target registration is in progress")
    eventually(lambda: health() == ("unhealthy", "Health checks failed with these codes: [503]"))
    backend.health = 200
    eventually(lambda: health() == ("healthy", ""))
    site.elbv2.deregister_targets(TargetGroupArn=site.canary, Targets=[target])
    assert health() == ("draining", "Target deregistration is in progress")
    backend.close()


def test_metrics_count_the_requests_of_the_sockets(site: Site) -> None:
    def published() -> float:
        return requests_published(site.sandbox, site.arn, site.stable)

    before = published()
    answered = site.send(50).total()
    eventually(lambda: published() >= before + answered)
