"""Custom manifests, with other steps and another root Service."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from blocks.settings import load_environment
from delivery.context import ReleaseContext
from delivery.environment import Tls
from delivery.errors import NotPromoted
from delivery.release import Event
from flows.application import roll_out
from flows.rollback import compensate
from tasks.canary.start import confirm_promoted, wait_until_paused
from tasks.rollout.steps import clear_pause, confirm_weight
from tasks.state.journal import read_journal
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.shop import Shop
from tests.tasks.canaries import install, served_digest, start

WEIGHTS = (10, 25, 50, 75)
# The sandbox's certificate is valid for this host.
HOST = "localhost"


def rewrite(shop: Shop, weights: tuple[int, ...] = WEIGHTS, host: str | None = None) -> None:
    """Four pods, other steps, and the stable Service as the root, which is Argo's default without a rootService."""
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    ingress = next(found for found in manifests if found["kind"] == "Ingress")
    ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "blue"
    ingress["spec"]["rules"][0]["host"] = host or shop.host
    rollout = manifests[-1]
    canary = rollout["spec"]["strategy"]["canary"]
    del canary["trafficRouting"]["alb"]["rootService"]
    canary["steps"] = [step for weight in weights for step in ({"setWeight": weight}, {"pause": {}})]
    rollout["metadata"]["name"] = "counter"
    rollout["spec"]["replicas"] = 4
    path.write_text(yaml.safe_dump_all(manifests))


@pytest.fixture
def custom(shop: Shop, project: Project, aws: SandboxAws, monkeypatch: pytest.MonkeyPatch, prefect_server: str) -> Shop:
    """A shop with custom manifests, which `load_environment` returns, with the sandbox's certificate."""
    rewrite(shop, host=HOST)
    Path(shop.environment.application.manifests, "application.yml").write_text("server.port: 8000\n")
    deploy_connections(project, aws)
    own, state = shop.environment, shop.sandbox.state
    application = own.application.model_copy(
        update={"api_url": f"https://{HOST}/api", "database_ca": str(state / "ca" / "ca.pem")}
    )
    update = {
        "application": application,
        "stacks": project.environment.stacks,
        "resolve": {f"{HOST}:443": shop.sandbox.addresses.load_balancer},
        "tls": Tls(ca_bundle=str(state / "ca" / "ca.pem")),
    }
    monkeypatch.delenv("SLIPWAY_OVERLAYS", raising=False)
    environment = own.model_copy(update=update)
    for section in ("aws", "state", "stacks", "application", "canary", "lock", "resolve", "tls"):
        value = environment.model_dump(mode="json", include={section}, exclude_none=True)[section]
        monkeypatch.setenv(f"SLIPWAY_{section.upper()}", json.dumps(value))
    return replace(shop, environment=load_environment("production"), host=HOST)


def deploy_connections(project: Project, aws: SandboxAws) -> None:
    """Deploy stacks with the outputs that the connection settings need."""
    brokers = aws.client("kafka").create_cluster(
        ClusterName=project.name,
        KafkaVersion="3.6.0",
        NumberOfBrokerNodes=3,
        BrokerNodeGroupInfo={"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1"]},
        ClientAuthentication={"Sasl": {"Iam": {"Enabled": True}}},
    )
    secret = aws.client("secretsmanager").create_secret(
        Name=f"{project.name}/database", SecretString='{"username": "counter", "password": "secret"}'
    )
    database = {"DatabaseEndpoint": "db.internal", "DatabasePort": "5432", "DatabaseName": "counter"}
    outputs = {
        "MSKStack": {"MSKClusterArn": brokers["ClusterArn"]},
        "SecurityStack": {"DatabaseSecretArn": secret["ARN"]},
        "RDSStack": {**database, "CacheEndpoint": "cache.internal", "CachePort": "6379"},
    }
    project.write({name: {"One": project.parameter(name, "1")} for name in outputs}, outputs=outputs)
    project.deploy_manually(aws)


def judged(shop: Shop, context: ReleaseContext) -> list[tuple[int, str]]:
    journal = read_journal(shop.environment, context.release.number)
    details = [record.detail for record in journal if record.event is Event.JUDGED]
    return [(detail["weight_percent"], detail["verdict"]) for detail in details]


@pytest.mark.proof
def test_custom_manifests_are_released_judged_and_rolled_back_by_the_flows(custom: Shop) -> None:
    good = custom.push("b")
    install(custom, custom.push("a"))
    with custom.users():
        with custom.release(good) as context:
            roll_out(context.release)
        assert judged(custom, context) == [(weight, "pass") for weight in WEIGHTS]
        assert served_digest(custom) == good
        with custom.release(custom.push("bad", status=500)) as context:
            with pytest.raises(NotPromoted, match=r"The canary (failed|was inconclusive) at 10 %") as stopped:
                roll_out(context.release)
            sentence = compensate(context.release)
    assert stopped.value.is_failure
    assert judged(custom, context) == [(10, "fail")]
    assert f"{good}, serves all traffic, confirmed at the load balancer." in sentence
    assert sentence.endswith(f"https://{HOST}/api/actuator/health answers 200.")
    assert served_digest(custom) == good


@pytest.mark.proof
def test_each_of_two_pauses_at_one_weight_is_ended_and_recorded(shop: Shop) -> None:
    rewrite(shop, (25, 25))
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        for step in canary.steps:
            wait_until_paused.fn(shop.environment, canary, step)
            confirm_weight.fn(shop.environment, step)
            clear_pause.fn(context, canary, step, "for the test")
        confirm_promoted.fn(shop.environment, canary)
    ended = [record for record in read_journal(shop.environment, context.release.number) if record.event is Event.DONE]
    assert [record.step for record in ended[-2:]] == ["Canary/25 %", "Canary/25 %, pause 2"]
