"""What a release plans for each topic."""

from pathlib import Path

import pytest

from delivery.errors import NotApplied, StopRequested, TopicFixed, TopicWouldShrink, Unavailable
from delivery.plan import Reversibility, StepAction
from delivery.topics import (
    ObservedTopic,
    TopicSpec,
    conclude_topics,
    describe_held,
    describe_retention,
    is_as_specified,
    plan_topic,
    plan_topics,
    specify_topics,
)
from tests.environments import production

DAY_MS = 86_400_000
CONFIGURATION = {"retention.ms": str(14 * DAY_MS), "compression.type": "gzip", "min.insync.replicas": "2"}
METRICS = TopicSpec(name="metrics", partitions=3, replication_factor=3, configuration=CONFIGURATION)


def held(partitions: int = 3, replicas: int = 3, **configuration: str) -> ObservedTopic:
    changed = {key.replace("_", "."): value for key, value in configuration.items()}
    everything = {**CONFIGURATION, "cleanup.policy": "delete", **changed}
    return ObservedTopic(name="metrics", partitions=partitions, replication_factor=replicas, configuration=everything)


def test_the_guides_six_topics_have_its_partitions_and_retention() -> None:
    topics = specify_topics(production(Path("/nowhere")))
    assert [(topic.name, topic.partitions, int(topic.configuration["retention.ms"]) // DAY_MS) for topic in topics] == [
        ("genai-demo.production.observability.user.behavior", 6, 90),
        ("genai-demo.production.observability.performance.metrics", 3, 14),
        ("genai-demo.production.observability.business.analytics", 6, 90),
        ("genai-demo.production.observability.user.behavior.dlq", 1, 30),
        ("genai-demo.production.observability.performance.metrics.dlq", 1, 30),
        ("genai-demo.production.observability.business.analytics.dlq", 1, 30),
    ]


def test_every_topic_has_the_guides_replicas_and_compression() -> None:
    for topic in specify_topics(production(Path("/nowhere"))):
        assert topic.replication_factor == 3
        assert topic.configuration["compression.type"] == "gzip"
        assert topic.configuration["min.insync.replicas"] == "2"


def test_a_missing_topic_is_created_as_specified() -> None:
    change = plan_topic(METRICS, None)
    assert (change.action, change.partitions, change.configuration) == (StepAction.CREATE, 3, CONFIGURATION)
    assert change.lines == (
        "3 partitions, kept 14 days",
        "3 replicas, compression.type gzip, min.insync.replicas 2",
    )


def test_a_topic_as_specified_is_left_alone_whatever_else_is_set() -> None:
    assert plan_topic(METRICS, held()).action is StepAction.NOTHING


def test_only_the_keys_that_differ_are_changed() -> None:
    change = plan_topic(METRICS, held(compression_type="producer"))
    assert change.configuration == {"compression.type": "gzip"}
    assert change.partitions is None
    assert change.lines == ("compression.type: producer -> gzip",)
    assert change.way_back is Reversibility.REVERSIBLE


def test_more_partitions_have_no_way_back() -> None:
    change = plan_topic(METRICS, held(partitions=1))
    assert (change.partitions, change.configuration) == (3, {})
    assert change.lines == ("partitions: 1 -> 3",)
    assert change.way_back is Reversibility.NONE


@pytest.mark.parametrize(
    ("before", "way_back"),
    [(str(30 * DAY_MS), Reversibility.NONE), ("-1", Reversibility.NONE), (str(7 * DAY_MS), Reversibility.REVERSIBLE)],
)
def test_a_shorter_retention_has_no_way_back_and_a_longer_one_has(before: str, way_back: Reversibility) -> None:
    assert plan_topic(METRICS, held(retention_ms=before)).way_back is way_back


def test_fewer_partitions_are_refused() -> None:
    with pytest.raises(TopicWouldShrink, match=r"metrics has 6 partitions and is asked for 3: Kafka cannot"):
        plan_topic(METRICS, held(partitions=6))


def test_another_number_of_replicas_is_refused() -> None:
    with pytest.raises(TopicFixed, match=r"metrics has 1 replicas and is asked for 3: neither a topic's settings"):
        plan_topic(METRICS, held(replicas=1))


def test_a_refused_topic_refuses_the_plan_beside_the_steps_of_the_others() -> None:
    other = METRICS.model_copy(update={"name": "behavior"})
    plan = plan_topics([METRICS, other], {"metrics": held(partitions=6)})
    assert [step.name for step in plan.steps] == ["behavior"]
    assert len(plan.refusals) == 1
    assert plan.refusals[0].startswith("Topic metrics has 6 partitions")


def test_topics_that_nobody_lists_are_named_and_left() -> None:
    plan = plan_topics([METRICS], {"metrics": held(), "others": held()})
    assert [step.name for step in plan.steps] == ["metrics"]
    assert plan.findings[0].startswith("others: in no list of [topics], left as they are.")


def test_topics_are_known_after_the_cluster_when_there_is_none() -> None:
    (step,) = plan_topics([METRICS], None).steps
    assert step.action is StepAction.CREATE
    assert step.changes[-1] == "known after the broker cluster"


def test_a_new_topic_is_told_by_what_is_its_own_and_by_what_it_shares_with_others() -> None:
    own, shared = plan_topic(METRICS.model_copy(update={"partitions": 1}), None).lines
    assert own == "1 partition, kept 14 days"
    assert shared.startswith("3 replicas, compression.type gzip")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(str(DAY_MS), "1 day"), (str(DAY_MS * 3 // 2), "36 hours"), ("-1", "for ever"), ("1500", "1500 ms")],
)
def test_how_long_a_topic_keeps_its_records_is_told_in_days(milliseconds: str, words: str) -> None:
    assert describe_retention(milliseconds) == words


def test_a_topic_that_is_still_changing_is_not_as_specified() -> None:
    assert is_as_specified(METRICS, held())
    assert not is_as_specified(METRICS, held().model_copy(update={"is_settled": False}))
    assert not is_as_specified(METRICS, None)


def test_one_error_names_every_topic_that_is_not_as_specified() -> None:
    away = Unavailable("The brokers are away.")
    with pytest.raises(Unavailable, match=r"2 of 3 topics are not as specified: b, c. The brokers are away."):
        conclude_topics({"a": plan_topic(METRICS, held()), "b": away, "c": away})


def test_a_stop_that_was_asked_for_is_told_before_what_failed() -> None:
    with pytest.raises(StopRequested):
        conclude_topics({"a": NotApplied("Topic a is not there."), "b": StopRequested("Anna asked to stop.")})


def test_what_the_brokers_hold_is_told_by_what_differs() -> None:
    assert describe_held(METRICS, held(retention_ms="1000")) == "retention.ms: 1000 ms -> 14 days"
    assert describe_held(METRICS, held()) == "the change is still under way"
