"""Lost and ignored writes, and brokers that refuse requests, for each API."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from clients.topics.access import TopicAdmin
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotPermitted, Unavailable
from delivery.release import Event
from delivery.topics import TopicSpec, is_as_specified, plan_topic
from sandbox.instance import Sandbox
from tasks.topics import apply_change, configure_topic, connect_topics
from tests.aws import SandboxAws
from tests.tasks.topics.helpers import (
    KafkaAdmin,
    TopicApi,
    recorded,
    with_both_apis,
    with_kafka,
    with_short_lag,
    with_the_msk_api,
)


@with_both_apis
@pytest.mark.parametrize("operation", ["CreateTopic", "UpdateTopic"])
def test_a_write_that_the_server_ignores_fails_the_step(
    context: ReleaseContext,
    topic: TopicSpec,
    topic_api: TopicApi,
    operation: str,
    kafka: KafkaAdmin,
    sandbox: Sandbox,
    aws: SandboxAws,
) -> None:
    difference = "the topic does not exist"
    if operation == "UpdateTopic":
        kafka.create(topic.name)
        difference = "partitions: 1 -> 3; retention.ms: .* -> 14 days"
    topic_api.ignore(operation, sandbox, aws)
    soon = replace(context, environment=with_short_lag(context.environment))
    with pytest.raises(NotApplied, match=f"still differs from its specification after .*: {difference}"):
        configure_topic.fn(soon, topic)
    assert recorded(context)[-1].event is Event.FAILED


@with_the_msk_api
def test_a_creation_whose_response_was_lost_succeeds(
    context: ReleaseContext, topic: TopicSpec, topics: TopicAdmin, aws: SandboxAws
) -> None:
    aws.fault(kind="drop", match="kafka:CreateTopic", times=1)
    configure_topic.fn(context, topic)
    assert is_as_specified(topic, topics.read(topic.name))


class RepeatedUpdate:
    """Topics whose update is repeated and then refused, as boto3 repeats a request whose response was lost."""

    def __init__(self, topics: TopicAdmin, *, is_first_lost: bool) -> None:
        self.read, self.list_names, self.create = topics.read, topics.list_names, topics.create
        self._topics, self._is_first_lost = topics, is_first_lost

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        if not self._is_first_lost:
            self._topics.update(name, configuration, partitions)
        raise Conflict(f"Could not change topic {name}: it is being updated.")


@with_the_msk_api
def test_a_change_whose_response_was_lost_succeeds(
    environment: Environment, topic: TopicSpec, topics: TopicAdmin, kafka: KafkaAdmin
) -> None:
    kafka.create(topic.name, partitions=1)
    change = plan_topic(topic, topics.read(topic.name))
    apply_change(environment, RepeatedUpdate(topics, is_first_lost=False), topic, change)
    assert is_as_specified(topic, topics.read(topic.name))


@with_the_msk_api
def test_a_refused_change_that_is_not_made_fails_with_the_refusal(
    environment: Environment, topic: TopicSpec, topics: TopicAdmin, kafka: KafkaAdmin
) -> None:
    kafka.create(topic.name, partitions=1)
    change = plan_topic(topic, topics.read(topic.name))
    with pytest.raises(Conflict, match="it is being updated"):
        apply_change(with_short_lag(environment), RepeatedUpdate(topics, is_first_lost=True), topic, change)


@with_the_msk_api
def test_a_request_to_brokers_that_are_down_is_retried(
    context: ReleaseContext, topic: TopicSpec, aws: SandboxAws
) -> None:
    aws.fault(kind="down", match="kafka:*")
    with pytest.raises(Unavailable, match=f"Could not read topic {topic.name}"):
        configure_topic.fn(context, topic)
    assert recorded(context) == []


@with_kafka
def test_a_request_with_a_token_that_the_brokers_refuse_is_not_retried(
    context: ReleaseContext, topic: TopicSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(NotPermitted, match=f"Could not read topic {topic.name}: .*signature does not match"):
        configure_topic.fn(context, topic)
    with pytest.raises(NotPermitted, match="Could not list the topics"):
        connect_topics(context.environment).list_names(topic.name)
    assert recorded(context) == []


@with_kafka
def test_brokers_with_a_certificate_of_an_unknown_authority_are_not_trusted(
    environment: Environment, topic: TopicSpec
) -> None:
    tls = environment.tls.model_copy(update={"ca_bundle": None})
    with pytest.raises(NotPermitted, match="certificate verify failed"):
        connect_topics(environment.model_copy(update={"tls": tls})).read(topic.name)
