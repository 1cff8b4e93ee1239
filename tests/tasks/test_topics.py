"""Topics created and altered on real brokers through the MSK topic API, whose reads lag behind its writes."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from clients.topics import Topics
from delivery.environment import Environment
from delivery.errors import NotApplied, NotFound, TopicWouldShrink, Unavailable
from delivery.plan import Action
from delivery.release import Event, Record, Release
from delivery.topics import TopicSpec, is_as_specified
from sandbox.instance import Sandbox
from tasks.holds import hold_environment
from tasks.journal import read_journal
from tasks.topics import configure_topic, connect_topics, observe_topics
from tests.assemblies import Project, make_project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "d" * 64
CONFIGURATION = {"retention.ms": "1209600000", "compression.type": "gzip", "min.insync.replicas": "2"}


@pytest.fixture(scope="module")
def cluster_arn(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A broker cluster, which takes as long to make as everything else of these tests."""
    sandbox.require("aws", "kafka")
    aws = SandboxAws(sandbox.addresses.aws)
    project = make_project(f"t{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("brokers"))
    project.write({"MSKStack": {"Cluster": project.cluster()}}, outputs={"MSKStack": {"Arn": {"Ref": "Cluster"}}})
    return project.deploy_by_hand(aws)["MSKStack"]["Arn"]


@pytest.fixture
def environment(cluster_arn: str, aws: SandboxAws, project: Project) -> Environment:
    """Whose stack names the cluster, with a lag like the sandbox's."""
    resources = {"MSKStack": {"One": project.parameter("one", "1")}}
    project.write(resources, outputs={"MSKStack": {"MSKClusterArn": cluster_arn}})
    project.deploy_by_hand(aws)
    topics = project.environment.topics.model_copy(update={"lag": timedelta(seconds=20)})
    return project.environment.model_copy(update={"topics": topics})


@pytest.fixture
def release(environment: Environment) -> Iterator[Release]:
    with hold_environment(environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


@pytest.fixture
def topic(project: Project) -> TopicSpec:
    return TopicSpec(name=f"{project.name}.views", partitions=3, replication_factor=3, configuration=CONFIGURATION)


@pytest.fixture
def topics(environment: Environment) -> Topics:
    return connect_topics(environment)


def told(environment: Environment, release: Release) -> list[Record]:
    return [record for record in read_journal(environment, release.number) if record.step.startswith("Topics/")]


def test_a_missing_topic_is_created_and_read_back_and_then_left_alone(
    environment: Environment, release: Release, topic: TopicSpec, topics: Topics
) -> None:
    assert configure_topic.fn(environment, release, topic).action is Action.CREATE
    assert is_as_specified(topic, topics.read(topic.name))
    assert [record.event for record in told(environment, release)] == [Event.INTENDED, Event.DONE]
    assert configure_topic.fn(environment, release, topic).action is Action.NOTHING
    assert len(told(environment, release)) == 2


def test_a_topic_that_differs_is_brought_to_its_specification(
    environment: Environment, release: Release, topic: TopicSpec, topics: Topics
) -> None:
    other = topic.model_copy(update={"partitions": 1, "configuration": {**CONFIGURATION, "retention.ms": "1000"}})
    configure_topic.fn(environment, release, other)
    change = configure_topic.fn(environment, release, topic)
    assert change.lines == ("partitions: 1 -> 3", "retention.ms: 1000 -> 1209600000")
    assert is_as_specified(topic, topics.read(topic.name))
    assert told(environment, release)[-2].detail["partitions"] == 1


def test_a_topic_is_never_shrunk(environment: Environment, release: Release, topic: TopicSpec, topics: Topics) -> None:
    configure_topic.fn(environment, release, topic)
    with pytest.raises(TopicWouldShrink):
        configure_topic.fn(environment, release, topic.model_copy(update={"partitions": 2}))
    assert is_as_specified(topic, topics.read(topic.name))


def test_a_creation_whose_answer_was_lost_is_found_done(
    environment: Environment, release: Release, topic: TopicSpec, topics: Topics, aws: SandboxAws
) -> None:
    aws.fault(kind="drop", match="kafka:CreateTopic", times=1)
    configure_topic.fn(environment, release, topic)
    assert is_as_specified(topic, topics.read(topic.name))


def test_a_write_that_is_ignored_is_not_taken_for_done(
    environment: Environment, release: Release, topic: TopicSpec, aws: SandboxAws
) -> None:
    short = environment.topics.model_copy(update={"lag": timedelta(seconds=3)})
    aws.fault(kind="ignore", match="kafka:CreateTopic")
    with pytest.raises(NotApplied, match="the brokers tell: there is no such topic"):
        configure_topic.fn(environment.model_copy(update={"topics": short}), release, topic)
    assert told(environment, release)[-1].event is Event.FAILED


def test_brokers_that_are_down_are_worth_asking_again(
    environment: Environment, release: Release, topic: TopicSpec, aws: SandboxAws
) -> None:
    aws.fault(kind="down", match="kafka:*")
    with pytest.raises(Unavailable, match=f"Could not read topic {topic.name}"):
        configure_topic.fn(environment, release, topic)
    assert told(environment, release) == []


def test_without_a_cluster_topics_are_unknown_and_cannot_be_changed(project: Project) -> None:
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    assert observe_topics.fn(project.environment) is None
    with pytest.raises(NotFound, match=r"MSKStack\.MSKClusterArn"):
        connect_topics(project.environment)
