"""The MSK topic API acts on real brokers, and its reads lag behind its writes."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from sandbox.aws.client import client
from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE, eventually
from sandbox.tests.aws.stacks import deployed, error_code


class Cluster:
    """An MSK cluster of the sandbox, with its topic API and its brokers."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        nodes = {"InstanceType": "kafka.m7g.large", "ClientSubnets": ["subnet-a", "subnet-b", "subnet-c"]}
        wanted = {"ClusterName": name, "KafkaVersion": "3.9.x", "NumberOfBrokerNodes": 3, "BrokerNodeGroupInfo": nodes}
        template: dict[str, Any] = {"Resources": {"C": {"Type": "AWS::MSK::Cluster", "Properties": wanted}}}
        template["Outputs"] = {"Arn": {"Value": {"Ref": "C"}}}
        cfn = client("cloudformation", sandbox.addresses, sandbox.settings)
        self.arn = deployed(cfn, name, template)["Outputs"][0]["OutputValue"]
        self.api = client("kafka", sandbox.addresses, sandbox.settings)
        self.admin = AdminClient({"bootstrap.servers": ",".join(sandbox.addresses.kafka)})

    def call(self, operation: str, **wanted: Any) -> dict[str, Any]:
        return getattr(self.api, operation)(ClusterArn=self.arn, **wanted)

    def active(self, topic: str, partitions: int) -> dict[str, Any]:
        """The description of the topic when it is ACTIVE and has this number of partitions."""

        def described() -> dict[str, Any] | None:
            try:
                found = self.call("describe_topic", TopicName=topic)
            except self.api.exceptions.NotFoundException:
                return None
            return found if (found["Status"], found["PartitionCount"]) == ("ACTIVE", partitions) else None

        return eventually(described)


@pytest.fixture(scope="module")
def cluster(sandbox: Sandbox) -> Cluster:
    sandbox.require("aws", "kafka")
    return Cluster(sandbox, f"t{uuid4().hex[:10]}")


def encoded(configs: dict[str, str]) -> str:
    return base64.b64encode(json.dumps(configs).encode()).decode()


def test_a_topic_is_created_on_the_brokers_and_described_after_the_lag(cluster: Cluster, name: str) -> None:
    configs = {"retention.ms": "604800000"}
    wanted = {"TopicName": name, "PartitionCount": 3, "ReplicationFactor": 3, "Configs": encoded(configs)}
    assert cluster.call("create_topic", **wanted)["Status"] == "CREATING"
    found = cluster.active(name, 3)
    assert (found["ReplicationFactor"], json.loads(base64.b64decode(found["Configs"]))) == (3, configs)
    assert len(cluster.admin.list_topics(timeout=PATIENCE).topics[name].partitions) == 3
    assert error_code(lambda: cluster.call("create_topic", **wanted)) == "TopicExistsException"


def test_a_topic_grows_and_does_not_shrink(cluster: Cluster, name: str) -> None:
    cluster.call("create_topic", TopicName=name, PartitionCount=3, ReplicationFactor=3)
    cluster.active(name, 3)
    cluster.call("update_topic", TopicName=name, PartitionCount=6, Configs=encoded({"cleanup.policy": "compact"}))
    assert json.loads(base64.b64decode(cluster.active(name, 6)["Configs"])) == {"cleanup.policy": "compact"}
    partitions = cluster.call("describe_topic_partitions", TopicName=name)["Partitions"]
    assert [len(partition["Isr"]) for partition in partitions] == [3] * 6
    assert error_code(lambda: cluster.call("update_topic", TopicName=name, PartitionCount=5)) == "BadRequestException"


def test_a_deleted_topic_is_deleted_on_the_brokers(cluster: Cluster, name: str) -> None:
    cluster.call("create_topic", TopicName=name, PartitionCount=1, ReplicationFactor=3)
    cluster.active(name, 1)
    assert cluster.call("delete_topic", TopicName=name)["Status"] == "DELETING"
    eventually(lambda: name not in cluster.admin.list_topics(timeout=PATIENCE).topics)
    code = error_code(lambda: cluster.call("update_topic", TopicName=name, PartitionCount=2))
    assert code == "UnknownTopicOrPartitionException"


@pytest.mark.parametrize(
    "wrong", [{"Configs": encoded({"nope.ms": "1"})}, {"ReplicationFactor": 7}, {"TopicName": "no/slash here"}]
)
def test_a_request_that_the_brokers_reject_is_a_bad_request(cluster: Cluster, name: str, wrong: dict[str, Any]) -> None:
    wanted = {"TopicName": name, "PartitionCount": 1, "ReplicationFactor": 3, **wrong}
    assert error_code(lambda: cluster.call("create_topic", **wanted)) == "BadRequestException"
