import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE, eventually


@pytest.fixture(scope="module")
def admin(sandbox: Sandbox) -> AdminClient:
    sandbox.require("kafka")
    return AdminClient({"bootstrap.servers": ",".join(sandbox.addresses.kafka)})


def test_the_cluster_has_three_brokers(admin: AdminClient) -> None:
    assert len(admin.list_topics(timeout=PATIENCE).brokers) == 3


def create(admin: AdminClient, name: str) -> None:
    """Create the topic and wait until it is listed. The brokers learn of a topic at different times."""
    admin.create_topics([NewTopic(name, num_partitions=1)])[name].result(20)
    eventually(lambda: name in admin.list_topics(timeout=PATIENCE).topics)


def setting(admin: AdminClient, topic: str, name: str) -> str | None:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        return admin.describe_configs([resource])[resource].result(20)[name].value
    except KafkaException:
        return None


def test_a_topic_gets_three_replicas_with_a_minimum_of_two_in_sync(admin: AdminClient) -> None:
    create(admin, "brokers-test")
    partitions = eventually(
        lambda: admin.list_topics("brokers-test", timeout=PATIENCE).topics["brokers-test"].partitions
    )
    assert len(partitions[0].replicas) == 3
    assert eventually(lambda: setting(admin, "brokers-test", "min.insync.replicas")) == "2"


def test_a_produced_message_does_not_create_a_topic(admin: AdminClient, sandbox: Sandbox) -> None:
    errors: list[object] = []
    producer = Producer(
        {"bootstrap.servers": ",".join(sandbox.addresses.kafka), "message.timeout.ms": 2000, "log_level": 0}
    )
    try:
        producer.produce("brokers-missing", b"x", on_delivery=lambda error, _message: errors.append(error))
        producer.flush(10)
    except KafkaException as error:
        errors.append(error)
    assert errors[0] is not None
    assert "brokers-missing" not in admin.list_topics(timeout=PATIENCE).topics
