"""Topics created and altered on real brokers: the same on both ways."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.topics.access import TopicAdmin
from delivery.canary.verdict import Verdict
from delivery.environment import Environment
from delivery.errors import NotFound, TopicFixed, TopicWouldShrink
from delivery.plan import Phase, StepAction
from delivery.release import Event, Release
from delivery.topics import TopicSpec, is_as_specified, plan_topics, specify_topics
from delivery.verification import judge_part
from sandbox.testing import eventually
from tasks.topics import configure_topic, connect_topics, observe_topics
from tests.assemblies import Project
from tests.tasks.topics.hands import CONFIGURATION, DAY, KAFKA, MSK_API, PLAINTEXT, Hands, Held, on_both_ways, told


def configure_all(environment: Environment, release: Release) -> None:
    """All topics side by side, as the flow does it."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda topic: configure_topic.fn(environment, release, topic), specify_topics(environment)))


@pytest.mark.parametrize("way", [MSK_API, KAFKA, PLAINTEXT], ids=lambda way: way.name)
def test_a_missing_topic_is_created_and_read_back_and_then_left_alone(
    environment: Environment, release: Release, topic: TopicSpec, topics: TopicAdmin, hands: Hands
) -> None:
    assert configure_topic.fn(environment, release, topic).action is StepAction.CREATE
    hands.settle(topic.name)
    assert is_as_specified(topic, topics.read(topic.name))
    assert [record.event for record in told(environment, release)] == [Event.INTENDED, Event.DONE]
    assert configure_topic.fn(environment, release, topic).action is StepAction.NOTHING
    assert len(told(environment, release)) == 2


@on_both_ways
def test_a_topic_that_exists_is_not_created_again(
    topic: TopicSpec, topics: TopicAdmin, hands: Hands, environment: Environment
) -> None:
    hands.create(topic.name)
    assert topics.create(topic) is False
    assert hands.look(topic.name).partitions == 1


@on_both_ways
def test_a_topic_that_differs_is_brought_to_its_specification(
    environment: Environment, release: Release, topic: TopicSpec, hands: Hands
) -> None:
    hands.create(topic.name, partitions=1)
    hands.set(topic.name, "retention.ms", f"{DAY}")
    change = configure_topic.fn(environment, release, topic)
    assert change.lines[:2] == ("partitions: 1 -> 3", "retention.ms: 1 day -> 14 days")
    eventually(lambda: hands.look(topic.name, *CONFIGURATION) == Held(3, 3, CONFIGURATION))
    assert told(environment, release)[-2].detail["partitions"] == 1


@on_both_ways
def test_other_settings_of_a_topic_stay(
    environment: Environment, release: Release, topic: TopicSpec, hands: Hands
) -> None:
    hands.create(topic.name)
    hands.set(topic.name, "max.message.bytes", "2000000")
    configure_topic.fn(environment, release, topic)
    assert hands.look(topic.name, "max.message.bytes").settings == {"max.message.bytes": "2000000"}


@on_both_ways
def test_a_topic_is_never_shrunk_and_the_refusal_does_not_say_that_nothing_was_touched(
    environment: Environment, release: Release, topic: TopicSpec, hands: Hands
) -> None:
    hands.create(topic.name, partitions=4)
    with pytest.raises(TopicWouldShrink, match="has 4 partitions and is asked for 3") as refused:
        configure_topic.fn(environment, release, topic)
    assert "Nothing was touched" not in str(refused.value)
    assert hands.look(topic.name).partitions == 4


@on_both_ways
def test_a_topic_with_fewer_replicas_is_named_and_left(
    environment: Environment, release: Release, topic: TopicSpec, hands: Hands
) -> None:
    hands.create(topic.name, partitions=3, replicas=1)
    with pytest.raises(TopicFixed, match="has 1 replicas and is asked for 3") as refused:
        configure_topic.fn(environment, release, topic)
    assert "Nothing was touched" not in str(refused.value)
    # An API that lags shows it late: then its creation was tried, and refused.
    assert not any(record.event is Event.DONE for record in told(environment, release))
    assert hands.look(topic.name).replicas == 1


@on_both_ways
def test_the_guides_six_topics_are_as_specified_and_put_back_after_somebody_changed_them(
    environment: Environment, release: Release, hands: Hands
) -> None:
    configure_all(environment, release)
    prefix = f"{environment.topic_prefix}observability"
    wanted = {
        f"{prefix}.user.behavior": (6, 90),
        f"{prefix}.performance.metrics": (3, 14),
        f"{prefix}.business.analytics": (6, 90),
        f"{prefix}.user.behavior.dlq": (1, 30),
        f"{prefix}.performance.metrics.dlq": (1, 30),
        f"{prefix}.business.analytics.dlq": (1, 30),
    }
    as_specified = {
        name: Held(partitions, 3, {**CONFIGURATION, "retention.ms": str(days * DAY)})
        for name, (partitions, days) in wanted.items()
    }
    hands.settle(*wanted)
    assert {name: hands.look(name, *CONFIGURATION) for name in hands.names(prefix)} == as_specified
    hands.set(f"{prefix}.user.behavior", "retention.ms", "1000")
    hands.set(f"{prefix}.user.behavior.dlq", "min.insync.replicas", "1")
    configure_all(environment, release)
    eventually(lambda: {name: hands.look(name, *CONFIGURATION) for name in hands.names(prefix)} == as_specified)


@on_both_ways
def test_a_plan_names_what_cannot_be_put_back_and_what_is_no_topic_of_ours(
    environment: Environment, release: Release, hands: Hands
) -> None:
    metrics = f"{environment.topic_prefix}observability.performance.metrics"
    hands.create(metrics, partitions=5)
    hands.create(f"{environment.topic_prefix}somebody.elses")
    plan = plan_topics(specify_topics(environment), observe_topics.fn(environment))
    assert [step.action for step in plan.steps] == [StepAction.CREATE] * 5
    assert [refusal.partition(":")[0] for refusal in plan.refusals] == [
        f"Topic {metrics} has 5 partitions and is asked for 3"
    ]
    assert [finding.partition(":")[0] for finding in plan.findings] == [f"{environment.topic_prefix}somebody.elses"]
    check = judge_part(Phase.TOPICS, plan)
    assert check.verdict is Verdict.FAIL
    assert f"besides {environment.topic_prefix}somebody.elses" in check.seen


@on_both_ways
def test_a_cluster_that_does_not_exist_is_not_found(environment: Environment, project: Project) -> None:
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    without = environment.model_copy(update={"stacks": project.environment.stacks})
    assert observe_topics.fn(without) is None
    with pytest.raises(NotFound, match=r"MSKStack\.MSKClusterArn"):
        connect_topics(without)
