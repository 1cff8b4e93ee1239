"""Somebody else's manifests, with steps and a root of their own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from blocks.settings import load_environment
from delivery.environment import Tls
from delivery.errors import NotPromoted
from delivery.release import Event, Release
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
# One that the sandbox's certificate is for.
HOST = "localhost"


def rewrite(shop: Shop, weights: tuple[int, ...] = WEIGHTS, host: str | None = None) -> None:
    """Four pods, steps, and the stable Service itself as the action, as Argo has it without a rootService."""
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
def stranger(
    shop: Shop, project: Project, aws: SandboxAws, monkeypatch: pytest.MonkeyPatch, prefect_server: str
) -> Shop:
    """A shop with somebody else's manifests, as `load_environment` finds it, behind the sandbox's certificate."""
    rewrite(shop, host=HOST)
    Path(shop.environment.application.manifests, "application.yml").write_text("server.port: 8000\n")
    deploy_connections(project, aws)
    ours, state = shop.environment, shop.sandbox.state
    application = ours.application.model_copy(
        update={"api_url": f"https://{HOST}/api", "database_ca": str(state / "ca" / "ca.pem")}
    )
    update = {
        "application": application,
        "stacks": project.environment.stacks,
        "resolve": {f"{HOST}:443": shop.sandbox.addresses.load_balancer},
        "tls": Tls(ca_bundle=str(state / "ca" / "ca.pem")),
    }
    monkeypatch.delenv("SLIPWAY_OVERLAYS", raising=False)
    environment = ours.model_copy(update=update)
    for section in ("aws", "state", "stacks", "application", "canary", "lock", "resolve", "tls"):
        value = environment.model_dump(mode="json", include={section}, exclude_none=True)[section]
        monkeypatch.setenv(f"SLIPWAY_{section.upper()}", json.dumps(value))
    return replace(shop, environment=load_environment("production"), host=HOST)


def deploy_connections(project: Project, aws: SandboxAws) -> None:
    """The stacks' outputs that connection settings are made of."""
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
    project.deploy_by_hand(aws)


def judged(shop: Shop, release: Release) -> list[tuple[int, str]]:
    journal = read_journal(shop.environment, release.number)
    details = [record.detail for record in journal if record.event is Event.JUDGED]
    return [(detail["weight_percent"], detail["verdict"]) for detail in details]


@pytest.mark.proof
def test_a_strangers_manifests_are_released_judged_and_taken_back_by_the_flows(stranger: Shop) -> None:
    good = stranger.push("b")
    install(stranger, stranger.push("a"))
    with stranger.users():
        with stranger.release(good) as release:
            roll_out(release)
        assert judged(stranger, release) == [(weight, "pass") for weight in WEIGHTS]
        assert served_digest(stranger) == good
        with stranger.release(stranger.push("bad", status=500)) as release:
            with pytest.raises(NotPromoted, match="The canary was not promoted past 10 %") as stopped:
                roll_out(release)
            sentence = compensate(release)
    assert stopped.value.is_failure
    assert judged(stranger, release) == [(10, "fail")]
    assert f"{good}, serves all traffic, read back from the load balancer." in sentence
    assert sentence.endswith(f"https://{HOST}/api/actuator/health answers 200.")
    assert served_digest(stranger) == good


@pytest.mark.proof
def test_each_of_two_pauses_at_one_share_is_ended_and_told_by_itself(shop: Shop) -> None:
    rewrite(shop, (25, 25))
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        for step in canary.steps:
            wait_until_paused.fn(shop.environment, canary, step)
            confirm_weight.fn(shop.environment, canary, step)
            clear_pause.fn(shop.environment, release, canary, step, "the test wants it")
        confirm_promoted.fn(shop.environment, canary)
    ended = [record for record in read_journal(shop.environment, release.number) if record.event is Event.DONE]
    assert [record.step for record in ended[-2:]] == ["Canary/25 %", "Canary/25 %, pause 2"]
