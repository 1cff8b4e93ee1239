"""The MSK topic API: checks before a call to the brokers, and the lag of reads."""

import base64

import pytest

from sandbox.aws.http.rest import RestError
from sandbox.aws.services.msk.brokers import Partition, Topic
from sandbox.aws.services.msk.lag import Lag, View
from sandbox.aws.services.msk.topics import read_configs
from sandbox.tests.aws.conftest import AwsClient
from sandbox.tests.aws.stacks import deployed, error_code

ARN = "arn:aws:kafka:us-east-1:123456789012:cluster/nowhere/0"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def topic(partitions: int) -> Topic:
    return Topic("t", tuple(Partition(number, 1, (1,), (1,)) for number in range(partitions)), {})


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_new_topic_is_missing_then_creating_then_active() -> None:
    clock = Clock()
    lag = Lag(seconds=2.0, clock=clock)
    lag.record("t", "CREATING", None, topic(3))
    seen = []
    for moment in (0.5, 1.5, 2.5):
        clock.now = moment
        seen.append(lag.view("t", topic(3)))
    assert seen == [None, View(topic(3), "CREATING"), View(topic(3), "ACTIVE")]


def test_a_changed_topic_shows_its_old_partitions_until_the_lag_is_over() -> None:
    clock = Clock()
    lag = Lag(seconds=2.0, clock=clock)
    lag.record("t", "UPDATING", topic(3), topic(3))
    seen = []
    for moment in (0.5, 1.5, 2.5):
        clock.now = moment
        seen.append(lag.view("t", topic(6)))
    assert seen == [View(topic(3), "ACTIVE"), View(topic(3), "UPDATING"), View(topic(6), "ACTIVE")]


def test_a_deleted_topic_is_listed_until_the_lag_is_over() -> None:
    clock = Clock()
    lag = Lag(seconds=2.0, clock=clock)
    lag.record("t", "DELETING", topic(3), None)
    clock.now = 1.5
    assert (lag.view("t", None), lag.names()) == (View(topic(3), "DELETING"), {"t"})
    clock.now = 2.5
    assert (lag.view("t", None), lag.names()) == (None, set())


@pytest.mark.parametrize(
    "text", ['{"retention.ms": "1000", "cleanup.policy": "delete"}', "retention.ms=1000\ncleanup.policy=delete\n"]
)
def test_settings_are_json_or_lines(text: str) -> None:
    assert read_configs(encoded(text)) == {"retention.ms": "1000", "cleanup.policy": "delete"}


@pytest.mark.parametrize("wrong", ["{}", encoded("no pair"), encoded('{"a": '), "%%%"])
def test_other_settings_are_rejected(wrong: str) -> None:
    with pytest.raises(RestError, match="base64"):
        read_configs(wrong)


def test_topics_of_an_unknown_cluster_are_not_found(aws: AwsClient) -> None:
    assert error_code(lambda: aws("kafka").list_topics(ClusterArn=ARN)) == "NotFoundException"
    assert error_code(lambda: aws("kafka").describe_cluster(ClusterArn=ARN)) == "NotFoundException"


def test_topics_need_a_kafka_version_with_the_topic_api(aws: AwsClient, name: str) -> None:
    nodes = {"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-a", "subnet-b"]}
    wanted = {"ClusterName": name, "KafkaVersion": "2.8.1", "NumberOfBrokerNodes": 2, "BrokerNodeGroupInfo": nodes}
    template = {"Resources": {"C": {"Type": "AWS::MSK::Cluster", "Properties": wanted}}}
    template["Outputs"] = {"Arn": {"Value": {"Ref": "C"}}}
    arn = deployed(aws("cloudformation"), name, template)["Outputs"][0]["OutputValue"]
    assert error_code(lambda: aws("kafka").list_topics(ClusterArn=arn)) == "BadRequestException"
