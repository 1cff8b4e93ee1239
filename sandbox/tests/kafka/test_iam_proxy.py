"""The IAM listeners of the brokers, tested with clients of Kafka."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from sandbox.instance import Sandbox
from sandbox.kafka.iam_proxy import ignore_writes
from sandbox.testing import PATIENCE, eventually


def connect(sandbox: Sandbox, **other: Any) -> AdminClient:
    def sign(_: str) -> tuple[str, float]:
        token, expires = MSKAuthTokenProvider.generate_auth_token("us-east-1")
        return token, expires / 1000

    settings = {
        "bootstrap.servers": ",".join(sandbox.addresses.kafka_iam),
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "OAUTHBEARER",
        "oauth_cb": sign,
        "ssl.ca.location": str(sandbox.state / "ca" / "ca.pem"),
        "log_level": 0,
    }
    return AdminClient({**settings, **other})


@pytest.fixture
def sandbox_with_brokers(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    sandbox.require("kafka")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "operator")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    yield sandbox
    ignore_writes(sandbox.state)


@pytest.fixture
def name() -> str:
    return f"iam-{uuid.uuid4().hex[:8]}"


def partitions(sandbox: Sandbox, name: str) -> int:
    found = connect(sandbox).list_topics(timeout=PATIENCE).topics
    return len(found[name].partitions) if name in found else 0


def create(sandbox: Sandbox, name: str) -> None:
    # A client without a reference is destroyed and aborts its requests.
    admin = connect(sandbox)
    admin.create_topics([NewTopic(name, 1, 3)])[name].result(20)


def widen(sandbox: Sandbox, name: str) -> None:
    admin = connect(sandbox)
    admin.create_partitions([NewPartitions(name, 3)])[name].result(20)


def test_a_client_with_a_token_reaches_every_broker(sandbox_with_brokers: Sandbox) -> None:
    brokers = connect(sandbox_with_brokers).list_topics(timeout=PATIENCE).brokers.values()
    assert {f"{broker.host}:{broker.port}" for broker in brokers} == set(sandbox_with_brokers.addresses.kafka_iam)


def test_a_topic_is_created_through_the_iam_listener(sandbox_with_brokers: Sandbox, name: str) -> None:
    create(sandbox_with_brokers, name)
    assert eventually(lambda: partitions(sandbox_with_brokers, name)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"security.protocol": "SSL"},
        {"sasl.mechanisms": "PLAIN", "sasl.username": "operator", "sasl.password": "sandbox"},
        {"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt"},
        {"oauth_cb": lambda _: ("anything", 4102444800.0)},
    ],
    ids=["no token", "a password", "another authority", "a forged token"],
)
def test_other_clients_are_rejected(sandbox_with_brokers: Sandbox, other: dict[str, Any]) -> None:
    with pytest.raises(KafkaException):
        connect(sandbox_with_brokers, **other).list_topics(timeout=2)


def test_an_ignored_write_is_answered_and_not_executed(sandbox_with_brokers: Sandbox, name: str) -> None:
    create(sandbox_with_brokers, name)
    eventually(lambda: partitions(sandbox_with_brokers, name))
    ignore_writes(sandbox_with_brokers.state, ["CreatePartitions", "CreateTopics"])
    widen(sandbox_with_brokers, name)
    create(sandbox_with_brokers, f"{name}-other")
    assert partitions(sandbox_with_brokers, name) == 1
    assert partitions(sandbox_with_brokers, f"{name}-other") == 0


def test_an_ignored_write_that_is_invalid_is_rejected(sandbox_with_brokers: Sandbox, name: str) -> None:
    ignore_writes(sandbox_with_brokers.state, ["CreatePartitions"])
    with pytest.raises(KafkaException) as refused:
        widen(sandbox_with_brokers, name)
    assert refused.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
