"""An Ingress as a load balancer: its listener rules have the weights, its target groups have the pods."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient

from sandbox.aws.client import client as aws_client
from sandbox.testing import eventually
from sandbox.tests.kubernetes.canary import Canary
from sandbox.tests.kubernetes.conftest import start_part, stop_part
from sandbox.tests.kubernetes.manifests import rollout

Image = Callable[..., str]
BALANCER = "genai-demo-production-alb"
ANNOTATIONS = {
    "alb.ingress.kubernetes.io/load-balancer-name": BALANCER,
    "alb.ingress.kubernetes.io/scheme": "internet-facing",
    "alb.ingress.kubernetes.io/target-type": "ip",
    "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
    "alb.ingress.kubernetes.io/ssl-redirect": "443",
    "alb.ingress.kubernetes.io/healthcheck-path": "/ready",
}


class Balancer:
    """The load balancer as elbv2 describes it."""

    def __init__(self, elbv2: Any) -> None:
        self.elbv2 = elbv2

    def described(self) -> dict[str, Any] | None:
        try:
            return self.elbv2.describe_load_balancers(Names=[BALANCER])["LoadBalancers"][0]
        except self.elbv2.exceptions.LoadBalancerNotFoundException:
            return None

    def listeners(self) -> dict[int, dict[str, Any]]:
        found = self.described()
        arn = found["LoadBalancerArn"] if found else ""
        listeners = self.elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"] if arn else []
        return {listener["Port"]: listener for listener in listeners}

    def rules(self) -> dict[str, dict[str, Any]]:
        """The rules of the TLS listener, by host."""
        listener = self.listeners().get(443)
        if listener is None:
            return {}
        rules = self.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        return {_values(rule, "host-header")[0]: rule for rule in rules if not rule["IsDefault"]}

    def weights(self, host: str) -> dict[str, int]:
        """The weight of each Service in the host's forward action. The tags of the target groups name the Services."""
        rule = self.rules().get(host)
        if rule is None or rule["Actions"][0]["Type"] != "forward":
            return {}
        groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return {self.service_of(group["TargetGroupArn"]): group["Weight"] for group in groups}

    def service_of(self, arn: str) -> str:
        described = self.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in described}
        return tags["ingress.k8s.aws/resource"].split("/site-")[1].split(":")[0]

    def targets(self, service: str) -> set[str]:
        for group in self.elbv2.describe_target_groups()["TargetGroups"]:
            if self.service_of(group["TargetGroupArn"]) == service:
                described = self.elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
                return {item["Target"]["Id"] for item in described["TargetHealthDescriptions"]}
        return set()


@pytest.fixture(scope="module")
def balancer(state, addresses, settings) -> Iterator[Balancer]:
    process = start_part("sandbox.kubernetes.load_balancer_controller", state)
    yield Balancer(aws_client("elbv2", addresses, settings))
    stop_part(process)


@pytest.fixture(scope="module")
def annotations(addresses, settings) -> dict[str, str]:
    """The annotations with the ARN of a certificate that exists in AWS."""
    acm = aws_client("acm", addresses, settings)
    arn = acm.request_certificate(DomainName="genai-demo.com")["CertificateArn"]
    return {**ANNOTATIONS, "alb.ingress.kubernetes.io/certificate-arn": arn}


@pytest.fixture
def canary(client: DynamicClient, namespace: str, balancer: Balancer) -> Iterator[Canary]:
    found = Canary(client, namespace)
    yield found
    found.ingresses.delete(name="site", namespace=namespace)
    eventually(lambda: balancer.described() is None, "the end of the load balancer")


@pytest.fixture
def deployed(canary: Canary, balancer: Balancer, annotations: dict[str, str], image: Image) -> Canary:
    canary.create(rollout(image(ANSWER="A")), **annotations)
    canary.wait(canary.is_done, "the first deployment")
    wanted = {"backend-canary": 0, "backend-stable": 100}
    eventually(lambda: balancer.weights("api.genai-demo.com") == wanted, "the rule")
    return canary


def test_the_load_balancer_answers_503_until_the_action_exists(
    canary: Canary, balancer: Balancer, annotations: dict[str, str], image: Image
) -> None:
    canary.create(rollout(image("raise SystemExit(1)")), **annotations)
    rule = eventually(lambda: balancer.rules().get("api.genai-demo.com"), "the rule") or {}
    assert rule["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "503"


def test_an_event_reports_a_certificate_that_does_not_exist(canary: Canary, image: Image) -> None:
    unknown = {"alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:us-east-1:123456789012:certificate/none"}
    canary.create(rollout(image("raise SystemExit(1)")), **ANNOTATIONS, **unknown)
    events = canary.resource("v1", "Event")

    def messages() -> list[str]:
        found = events.get(namespace=canary.namespace).items
        return [event.message for event in found if event.reason == "FailedDeployModel"]

    assert "CertificateNotFound" in eventually(messages, "the event")[0]


def test_the_listeners_match_the_annotations(deployed: Canary, balancer: Balancer, annotations: dict[str, str]) -> None:
    listeners = balancer.listeners()
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["StatusCode"] == "HTTP_301"
    assert (
        listeners[443]["Certificates"][0]["CertificateArn"] == annotations["alb.ingress.kubernetes.io/certificate-arn"]
    )
    rules = balancer.rules()
    assert _values(rules["api.genai-demo.com"], "path-pattern") == ["/*"]
    assert _values(rules["genai-demo.com"], "path-pattern") == ["/api", "/api/*"]


def test_the_status_of_the_ingress_names_the_load_balancer(deployed: Canary, balancer: Balancer) -> None:
    found = deployed.ingresses.get(name="site", namespace=deployed.namespace)
    described = balancer.described()
    assert described
    assert found.status.loadBalancer.ingress[0].hostname == described["DNSName"]


def test_the_rules_have_the_canarys_weight(deployed: Canary, balancer: Balancer, image: Image) -> None:
    deployed.set_image(image(ANSWER="B"))
    deployed.wait_for_pause(1)
    wanted = {"backend-canary": 20, "backend-stable": 80}
    for host in ("api.genai-demo.com", "genai-demo.com"):
        eventually(lambda host=host: balancer.weights(host) == wanted, f"20 % for {host}")
    deployed.patch_status(abort=True)
    wanted = {"backend-canary": 0, "backend-stable": 100}
    eventually(lambda: balancer.weights("api.genai-demo.com") == wanted, "the weight after the abort")


def test_the_targets_are_the_ready_pods_of_each_service(deployed: Canary, balancer: Balancer, image) -> None:
    pods = deployed.resource("v1", "Pod")

    def addresses() -> dict[str, str]:
        found = pods.get(namespace=deployed.namespace).to_dict()["items"]
        return {
            pod["status"]["podIP"]: pod["metadata"]["labels"]["rollouts-pod-template-hash"]
            for pod in found
            if not pod["metadata"].get("deletionTimestamp")
        }

    eventually(lambda: balancer.targets("backend-stable") == set(addresses()) != set(), "the stable targets")
    stable = set(addresses())
    deployed.set_image(image(ANSWER="B"))
    deployed.wait_for_pause(1)
    eventually(lambda: balancer.targets("backend-canary") == set(addresses()) - stable, "the canary's target")
    assert balancer.targets("backend-stable") == stable
    for name in [pod.metadata.name for pod in pods.get(namespace=deployed.namespace).items]:
        pods.delete(name=name, namespace=deployed.namespace)
    eventually(lambda: not balancer.targets("backend-stable") & stable, "the end of the old targets")


def test_new_pods_in_a_labelled_namespace_get_readiness_gates(deployed: Canary, client: DynamicClient) -> None:
    label = {"metadata": {"labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}}}
    namespaces = client.resources.get(api_version="v1", kind="Namespace")
    namespaces.patch(label, name=deployed.namespace, content_type="application/merge-patch+json")
    pods = deployed.resource("v1", "Pod")
    first = pods.get(namespace=deployed.namespace).items[0].metadata.name
    pods.delete(name=first, namespace=deployed.namespace)

    def gated() -> list[dict[str, Any]]:
        found = pods.get(namespace=deployed.namespace).to_dict()["items"]
        return [pod for pod in found if pod["spec"].get("readinessGates")]

    def open_gates() -> list[str]:
        conditions = gated()[0]["status"].get("conditions", [])
        true = [item["type"] for item in conditions if item["status"] == "True"]
        return [name for name in true if name.startswith("target-health.elbv2.k8s.aws/k8s-")]

    eventually(gated, "a pod with gates")
    eventually(lambda: len(open_gates()) == len(gated()[0]["spec"]["readinessGates"]) == 2, "the open gates")
    deployed.wait(deployed.is_done, "a ready pod")


def test_each_target_group_has_its_binding(deployed: Canary, balancer: Balancer) -> None:
    bindings = deployed.resource("elbv2.k8s.aws/v1beta1", "TargetGroupBinding")
    found = bindings.get(namespace=deployed.namespace).items
    assert {binding.spec.serviceRef.name for binding in found} == {"backend-stable", "backend-canary"}
    assert {binding.spec.serviceRef.port for binding in found} == {80}
    for binding in found:
        assert balancer.service_of(binding.spec.targetGroupARN) == binding.spec.serviceRef.name


def _values(rule: dict[str, Any], field: str) -> list[str]:
    condition = next(item for item in rule["Conditions"] if item["Field"] == field)
    return (condition.get("HostHeaderConfig") or condition.get("PathPatternConfig"))["Values"]
