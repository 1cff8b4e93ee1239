"""Writes that get lost or are ignored, and brokers that refuse: on each way what is its own."""

from collections.abc import Mapping

import pytest

from clients.topics.access import TopicAdmin
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotPermitted, Unavailable
from delivery.release import Event, Release
from delivery.topics import TopicSpec, is_as_specified, plan_topic
from sandbox.instance import Sandbox
from tasks.topics import apply_change, configure_topic, connect_topics
from tests.aws import SandboxAws
from tests.tasks.topics.hands import Hands, Way, by_kafka, by_the_topic_api, impatient, on_both_ways, told


@on_both_ways
@pytest.mark.parametrize("operation", ["CreateTopic", "UpdateTopic"])
def test_a_write_that_its_server_ignores_is_not_taken_for_done(
    environment: Environment,
    release: Release,
    topic: TopicSpec,
    way: Way,
    operation: str,
    hands: Hands,
    sandbox: Sandbox,
    aws: SandboxAws,
) -> None:
    held = "there is no such topic"
    if operation == "UpdateTopic":
        hands.create(topic.name)
        held = "partitions: 1 -> 3; retention.ms: .* -> 14 days"
    way.ignore(operation, sandbox, aws)
    with pytest.raises(NotApplied, match=f"the brokers tell: {held}"):
        configure_topic.fn(impatient(environment), release, topic)
    assert told(environment, release)[-1].event is Event.FAILED


@by_the_topic_api
def test_a_creation_whose_answer_was_lost_is_found_done(
    environment: Environment, release: Release, topic: TopicSpec, topics: TopicAdmin, aws: SandboxAws
) -> None:
    aws.fault(kind="drop", match="kafka:CreateTopic", times=1)
    configure_topic.fn(environment, release, topic)
    assert is_as_specified(topic, topics.read(topic.name))


class Twice:
    """Topics whose change is asked for a second time, which the API refuses: boto3 does so where an answer is lost."""

    def __init__(self, topics: TopicAdmin, *, loses_the_first: bool) -> None:
        self.read, self.list_names, self.create = topics.read, topics.list_names, topics.create
        self._topics, self._loses_the_first = topics, loses_the_first

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        if not self._loses_the_first:
            self._topics.update(name, configuration, partitions)
        raise Conflict(f"Could not change topic {name}: it is being updated.")


@by_the_topic_api
def test_a_change_whose_answer_was_lost_is_found_done(
    environment: Environment, topic: TopicSpec, topics: TopicAdmin, hands: Hands
) -> None:
    hands.create(topic.name, partitions=1)
    change = plan_topic(topic, topics.read(topic.name))
    apply_change(environment, Twice(topics, loses_the_first=False), topic, change)
    assert is_as_specified(topic, topics.read(topic.name))


@by_the_topic_api
def test_a_change_that_is_refused_and_not_there_fails_by_its_refusal(
    environment: Environment, topic: TopicSpec, topics: TopicAdmin, hands: Hands
) -> None:
    hands.create(topic.name, partitions=1)
    change = plan_topic(topic, topics.read(topic.name))
    with pytest.raises(Conflict, match="it is being updated"):
        apply_change(impatient(environment), Twice(topics, loses_the_first=True), topic, change)


@by_the_topic_api
def test_brokers_that_are_down_are_worth_asking_again(
    environment: Environment, release: Release, topic: TopicSpec, aws: SandboxAws
) -> None:
    aws.fault(kind="down", match="kafka:*")
    with pytest.raises(Unavailable, match=f"Could not read topic {topic.name}"):
        configure_topic.fn(environment, release, topic)
    assert told(environment, release) == []


@by_kafka
def test_brokers_that_refuse_the_token_are_not_asked_again(
    environment: Environment, release: Release, topic: TopicSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(NotPermitted, match=f"Could not read topic {topic.name}: .*signature does not match"):
        configure_topic.fn(environment, release, topic)
    with pytest.raises(NotPermitted, match="Could not list the topics"):
        connect_topics(environment).list_names(topic.name)
    assert told(environment, release) == []


@by_kafka
def test_brokers_with_a_certificate_of_another_authority_are_not_trusted(
    environment: Environment, topic: TopicSpec
) -> None:
    tls = environment.tls.model_copy(update={"ca_bundle": None})
    with pytest.raises(NotPermitted, match="certificate verify failed"):
        connect_topics(environment.model_copy(update={"tls": tls})).read(topic.name)
