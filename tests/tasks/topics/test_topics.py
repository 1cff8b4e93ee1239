"""Topics are created and altered on real brokers, with the same result through both APIs."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.topics.access import TopicAdmin
from delivery.canary.verdict import Verdict
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import NotFound, TopicFixed, TopicWouldShrink
from delivery.plan import StepAction
from delivery.release import Event
from delivery.topics import TopicSpec, is_as_specified, plan_topics, specify_topics
from delivery.verification import judge_topics
from sandbox.testing import eventually
from tasks.topics import configure_topic, connect_topics, observe_topics
from tests.assemblies import Project
from tests.tasks.topics.helpers import (
    CONFIGURATION,
    DAY,
    KAFKA,
    MSK_API,
    PLAINTEXT,
    KafkaAdmin,
    TopicState,
    recorded,
    with_both_apis,
)


def configure_all(context: ReleaseContext) -> None:
    """Configure all topics in parallel, as the flow does."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda topic: configure_topic.fn(context, topic), specify_topics(context.environment)))


@pytest.mark.parametrize("topic_api", [MSK_API, KAFKA, PLAINTEXT], ids=lambda api: api.name)
def test_a_missing_topic_is_created_and_read_back_and_then_unchanged(
    context: ReleaseContext, topic: TopicSpec, topics: TopicAdmin, kafka: KafkaAdmin
) -> None:
    assert configure_topic.fn(context, topic).action is StepAction.CREATE
    kafka.wait_until_visible(topic.name)
    assert is_as_specified(topic, topics.read(topic.name))
    assert [record.event for record in recorded(context)] == [Event.INTENDED, Event.DONE]
    assert configure_topic.fn(context, topic).action is StepAction.NOTHING
    assert len(recorded(context)) == 2


@with_both_apis
def test_a_topic_that_exists_is_not_created_again(
    topic: TopicSpec, topics: TopicAdmin, kafka: KafkaAdmin, environment: Environment
) -> None:
    kafka.create(topic.name)
    assert topics.create(topic) is False
    assert kafka.read(topic.name).partitions == 1


@with_both_apis
def test_a_topic_that_differs_is_changed_to_its_specification(
    context: ReleaseContext, topic: TopicSpec, kafka: KafkaAdmin
) -> None:
    kafka.create(topic.name, partitions=1)
    kafka.set(topic.name, "retention.ms", f"{DAY}")
    change = configure_topic.fn(context, topic)
    assert change.lines[:2] == ("partitions: 1 -> 3", "retention.ms: 1 day -> 14 days")
    eventually(lambda: kafka.read(topic.name, *CONFIGURATION) == TopicState(3, 3, CONFIGURATION))
    assert recorded(context)[-2].detail["partitions"] == 1


@with_both_apis
def test_other_keys_of_a_topic_are_unchanged(context: ReleaseContext, topic: TopicSpec, kafka: KafkaAdmin) -> None:
    kafka.create(topic.name)
    kafka.set(topic.name, "max.message.bytes", "2000000")
    configure_topic.fn(context, topic)
    assert kafka.read(topic.name, "max.message.bytes").configuration == {"max.message.bytes": "2000000"}


@with_both_apis
def test_a_topic_never_loses_partitions_and_the_error_does_not_say_that_nothing_was_touched(
    context: ReleaseContext, topic: TopicSpec, kafka: KafkaAdmin
) -> None:
    kafka.create(topic.name, partitions=4)
    with pytest.raises(TopicWouldShrink, match=r"has 4 partitions, but \[topics\] specifies 3") as refused:
        configure_topic.fn(context, topic)
    assert "Nothing was changed" not in str(refused.value)
    assert kafka.read(topic.name).partitions == 4


@with_both_apis
def test_a_topic_with_another_replication_factor_is_unchanged(
    context: ReleaseContext, topic: TopicSpec, kafka: KafkaAdmin
) -> None:
    kafka.create(topic.name, partitions=3, replicas=1)
    with pytest.raises(TopicFixed, match=r"has replication factor 1, but \[topics\] specifies 3") as refused:
        configure_topic.fn(context, topic)
    assert "Nothing was changed" not in str(refused.value)
    # If the API lags, the topic is not visible yet. Then its creation is tried and refused.
    assert not any(record.event is Event.DONE for record in recorded(context))
    assert kafka.read(topic.name).replicas == 1


@with_both_apis
def test_the_six_topics_of_the_guide_are_created_and_corrected_after_manual_changes(
    context: ReleaseContext, kafka: KafkaAdmin
) -> None:
    configure_all(context)
    prefix = f"{context.environment.topic_prefix}observability"
    wanted = {
        f"{prefix}.user.behavior": (6, 90),
        f"{prefix}.performance.metrics": (3, 14),
        f"{prefix}.business.analytics": (6, 90),
        f"{prefix}.user.behavior.dlq": (1, 30),
        f"{prefix}.performance.metrics.dlq": (1, 30),
        f"{prefix}.business.analytics.dlq": (1, 30),
    }
    as_specified = {
        name: TopicState(partitions, 3, {**CONFIGURATION, "retention.ms": str(days * DAY)})
        for name, (partitions, days) in wanted.items()
    }
    kafka.wait_until_visible(*wanted)
    assert {name: kafka.read(name, *CONFIGURATION) for name in kafka.list_names(prefix)} == as_specified
    kafka.set(f"{prefix}.user.behavior", "retention.ms", "1000")
    kafka.set(f"{prefix}.user.behavior.dlq", "min.insync.replicas", "1")
    configure_all(context)
    eventually(lambda: {name: kafka.read(name, *CONFIGURATION) for name in kafka.list_names(prefix)} == as_specified)


@with_both_apis
def test_a_plan_names_topics_that_cannot_be_changed_and_topics_that_are_not_specified(
    context: ReleaseContext, kafka: KafkaAdmin
) -> None:
    metrics = f"{context.environment.topic_prefix}observability.performance.metrics"
    kafka.create(metrics, partitions=5)
    kafka.create(f"{context.environment.topic_prefix}others")
    plan = plan_topics(specify_topics(context.environment), observe_topics.fn(context.environment))
    assert [step.action for step in plan.steps] == [StepAction.CREATE] * 5
    assert [refusal.partition(". ")[0] for refusal in plan.refusals] == [
        f"Topic {metrics} has 5 partitions, but [topics] specifies 3"
    ]
    others = "Topics with the prefix of this environment that are not in [topics] (not changed): "
    assert plan.findings == (f"{others}{context.environment.topic_prefix}others.",)
    check = judge_topics(plan)
    assert check.verdict is Verdict.FAIL
    assert f"also found: {others}{context.environment.topic_prefix}others" in check.seen


@with_both_apis
def test_a_cluster_that_does_not_exist_is_not_found(environment: Environment, project: Project) -> None:
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    without = environment.model_copy(update={"stacks": project.environment.stacks})
    assert observe_topics.fn(without) is None
    with pytest.raises(NotFound, match="MSKStack has no output MSKClusterArn"):
        connect_topics(without)
