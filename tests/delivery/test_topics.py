"""The plan of the topics."""

from pathlib import Path

import pytest

from delivery.errors import NotApplied, StopRequested, TopicFixed, TopicWouldShrink, Unavailable
from delivery.plan import Reversibility, StepAction
from delivery.topics import (
    ObservedTopic,
    TopicSpec,
    conclude_topics,
    describe_difference,
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


def observed(partitions: int = 3, replicas: int = 3, **configuration: str) -> ObservedTopic:
    changed = {key.replace("_", "."): value for key, value in configuration.items()}
    everything = {**CONFIGURATION, "cleanup.policy": "delete", **changed}
    return ObservedTopic(name="metrics", partitions=partitions, replication_factor=replicas, configuration=everything)


def test_the_six_topics_have_the_partitions_and_retention_of_the_guide() -> None:
    topics = specify_topics(production(Path("/nowhere")))
    assert [(topic.name, topic.partitions, int(topic.configuration["retention.ms"]) // DAY_MS) for topic in topics] == [
        ("genai-demo.production.observability.user.behavior", 6, 90),
        ("genai-demo.production.observability.performance.metrics", 3, 14),
        ("genai-demo.production.observability.business.analytics", 6, 90),
        ("genai-demo.production.observability.user.behavior.dlq", 1, 30),
        ("genai-demo.production.observability.performance.metrics.dlq", 1, 30),
        ("genai-demo.production.observability.business.analytics.dlq", 1, 30),
    ]


def test_each_topic_has_the_replicas_and_compression_of_the_guide() -> None:
    for topic in specify_topics(production(Path("/nowhere"))):
        assert topic.replication_factor == 3
        assert topic.configuration["compression.type"] == "gzip"
        assert topic.configuration["min.insync.replicas"] == "2"


def test_a_missing_topic_is_created_as_specified() -> None:
    change = plan_topic(METRICS, None)
    assert (change.action, change.partitions, change.configuration) == (StepAction.CREATE, 3, CONFIGURATION)
    assert change.lines == (
        "3 partitions, retention 14 days",
        "3 replicas, compression.type gzip, min.insync.replicas 2",
    )


def test_a_topic_as_specified_is_unchanged_whatever_its_other_keys_are() -> None:
    assert plan_topic(METRICS, observed()).action is StepAction.NOTHING


def test_only_the_keys_that_differ_are_changed() -> None:
    change = plan_topic(METRICS, observed(compression_type="producer"))
    assert change.configuration == {"compression.type": "gzip"}
    assert change.partitions is None
    assert change.lines == ("compression.type: producer -> gzip",)
    assert change.reversibility is Reversibility.REVERSIBLE


def test_more_partitions_are_irreversible() -> None:
    change = plan_topic(METRICS, observed(partitions=1))
    assert (change.partitions, change.configuration) == (3, {})
    assert change.lines == ("partitions: 1 -> 3",)
    assert change.reversibility is Reversibility.IRREVERSIBLE


@pytest.mark.parametrize(
    ("before", "reversibility"),
    [
        (str(30 * DAY_MS), Reversibility.IRREVERSIBLE),
        ("-1", Reversibility.IRREVERSIBLE),
        (str(7 * DAY_MS), Reversibility.REVERSIBLE),
    ],
)
def test_a_shorter_retention_is_irreversible_and_a_longer_one_is_reversible(
    before: str, reversibility: Reversibility
) -> None:
    assert plan_topic(METRICS, observed(retention_ms=before)).reversibility is reversibility


def test_fewer_partitions_are_refused() -> None:
    with pytest.raises(TopicWouldShrink, match=r"metrics has 6 partitions, but \[topics\] specifies 3\. Kafka cannot"):
        plan_topic(METRICS, observed(partitions=6))


def test_a_different_replication_factor_is_refused() -> None:
    with pytest.raises(TopicFixed, match=r"metrics has replication factor 1, but \[topics\] specifies 3\. Neither"):
        plan_topic(METRICS, observed(replicas=1))


def test_a_refused_topic_refuses_the_plan_and_the_other_topics_keep_their_steps() -> None:
    other = METRICS.model_copy(update={"name": "behavior"})
    plan = plan_topics([METRICS, other], {"metrics": observed(partitions=6)})
    assert [step.name for step in plan.steps] == ["behavior"]
    assert len(plan.refusals) == 1
    assert plan.refusals[0].startswith("Topic metrics has 6 partitions")


def test_topics_that_are_not_specified_are_named_and_left_unchanged() -> None:
    plan = plan_topics([METRICS], {"metrics": observed(), "others": observed()})
    assert [step.name for step in plan.steps] == ["metrics"]
    assert plan.findings == (
        "Topics with the prefix of this environment that are not in [topics] (not changed): others.",
    )


def test_topics_of_a_cluster_that_does_not_exist_are_created_after_it() -> None:
    (step,) = plan_topics([METRICS], None).steps
    assert step.action is StepAction.CREATE
    assert step.changes[-1] == "after the broker cluster is created"


def test_a_new_topic_has_a_line_of_its_own_and_a_line_that_all_topics_share() -> None:
    own, shared = plan_topic(METRICS.model_copy(update={"partitions": 1}), None).lines
    assert own == "1 partition, retention 14 days"
    assert shared.startswith("3 replicas, compression.type gzip")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(str(DAY_MS), "1 day"), (str(DAY_MS * 3 // 2), "36 hours"), ("-1", "unlimited"), ("1500", "1500 ms")],
)
def test_a_retention_is_described_in_the_largest_whole_unit(milliseconds: str, words: str) -> None:
    assert describe_retention(milliseconds) == words


def test_a_topic_that_is_still_changing_is_not_as_specified() -> None:
    assert is_as_specified(METRICS, observed())
    assert not is_as_specified(METRICS, observed().model_copy(update={"is_settled": False}))
    assert not is_as_specified(METRICS, None)


def test_one_error_names_all_topics_that_are_not_as_specified() -> None:
    error = Unavailable("The brokers did not answer.")
    with pytest.raises(Unavailable, match=r"2 of 3 topics are not as specified: b, c. The brokers did not answer."):
        conclude_topics({"a": plan_topic(METRICS, observed()), "b": error, "c": error})


def test_a_stop_request_is_reported_before_a_failure() -> None:
    with pytest.raises(StopRequested):
        conclude_topics({"a": NotApplied("Topic a does not exist."), "b": StopRequested("Anna requested the stop.")})


def test_a_topic_is_described_by_its_difference_from_the_specification() -> None:
    assert describe_difference(METRICS, observed(retention_ms="1000")) == "retention.ms: 1000 ms -> 14 days"
    assert describe_difference(METRICS, observed()) == "the change is still in progress"
