"""Topics: their specification, what the brokers report, and the change between the two."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from delivery.environment import Environment
from delivery.errors import DeliveryError, TopicFixed, TopicWouldShrink, deciding_error
from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction

MILLISECOND = timedelta(milliseconds=1)
RETENTION = "retention.ms"
UNLIMITED = "-1"


class TopicSpec(BaseModel):
    """The specification of one topic.

    configuration: topic-level keys. The brokers' own keys for the same things have other names.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    partitions: int
    replication_factor: int
    configuration: dict[str, str]


class ObservedTopic(BaseModel):
    """A topic as the brokers report it.

    configuration: all reported keys, not only the specified ones. is_settled: no change is in progress.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    partitions: int
    replication_factor: int
    configuration: dict[str, str]
    is_settled: bool = True


class TopicChange(BaseModel):
    """The change that brings one topic to its specification.

    partitions, configuration: only what differs; for a new topic, everything. lines: the change as the plan prints it.
    """

    model_config = ConfigDict(frozen=True)

    action: StepAction
    partitions: int | None = None
    configuration: dict[str, str] = {}
    lines: tuple[str, ...] = ()
    reversibility: Reversibility = Reversibility.REVERSIBLE


def specify_topics(environment: Environment) -> tuple[TopicSpec, ...]:
    """The specified topics of the environment, each with the settings that all of them share."""
    shared = environment.topics
    return tuple(
        TopicSpec(
            name=topic.name,
            partitions=topic.partitions,
            replication_factor=shared.replication_factor,
            configuration={
                # The guide sets log.retention.ms, which is a key of the brokers. The key of a topic is retention.ms.
                RETENTION: str(topic.retention // MILLISECOND),
                "compression.type": shared.compression,
                "min.insync.replicas": str(shared.min_insync_replicas),
            },
        )
        for topic in environment.topics_wanted()
    )


def plan_topics(wanted: Sequence[TopicSpec], observed: Mapping[str, ObservedTopic] | None) -> PartPlan:
    """A step for each topic in the order of the settings.

    observed: all topics with the environment's prefix by name, also topics that are not specified. None if the cluster
    does not exist yet.
    """
    if observed is None:
        return PartPlan(steps=tuple(_unknown(topic) for topic in wanted))
    steps: list[Step] = []
    refusals: list[str] = []
    for topic in wanted:
        try:
            change = plan_topic(topic, observed.get(topic.name))
        except (TopicWouldShrink, TopicFixed) as error:
            refusals.append(str(error))
        else:
            steps.append(_step(topic.name, change.action, change.reversibility, change.lines))
    return PartPlan(steps=tuple(steps), refusals=tuple(refusals), findings=_name_others(wanted, observed))


def _name_others(wanted: Sequence[TopicSpec], observed: Mapping[str, ObservedTopic]) -> tuple[str, ...]:
    others = sorted(observed.keys() - {topic.name for topic in wanted})
    if not others:
        return ()
    return (f"Topics with the prefix of this environment that are not in [topics] (not changed): {', '.join(others)}.",)


def plan_topic(topic: TopicSpec, observed: ObservedTopic | None) -> TopicChange:
    """The change of one topic. Raises TopicWouldShrink or TopicFixed for a difference that no change can remove."""
    if observed is None:
        return TopicChange(
            action=StepAction.CREATE,
            partitions=topic.partitions,
            configuration=topic.configuration,
            lines=_created(topic),
        )
    _check_possible(topic, observed)
    partitions = topic.partitions if topic.partitions != observed.partitions else None
    differing = {key: value for key, value in topic.configuration.items() if observed.configuration.get(key) != value}
    if partitions is None and not differing:
        return TopicChange(action=StepAction.NOTHING)
    return TopicChange(
        action=StepAction.CHANGE,
        partitions=partitions,
        configuration=differing,
        lines=_changed(partitions, differing, observed),
        reversibility=_reversibility_of(partitions, differing, observed),
    )


def is_as_specified(topic: TopicSpec, observed: ObservedTopic | None) -> bool:
    """Whether the brokers report the topic as specified, without a change in progress."""
    return observed is not None and observed.is_settled and plan_topic(topic, observed).action is StepAction.NOTHING


def describe_difference(topic: TopicSpec, observed: ObservedTopic | None) -> str:
    """How a topic still differs from its specification."""
    if observed is None:
        return "the topic does not exist"
    return "; ".join(plan_topic(topic, observed).lines) or "the change is still in progress"


def conclude_topics(ends: Mapping[str, TopicChange | DeliveryError]) -> None:
    """Raise one error that names all topics that are not as specified, if any.

    ends: by topic. The error has the type of the one that halted the release, because no rollback may start then.
    Without such an error, it has the type of the first one.
    """
    failed = {name: end for name, end in ends.items() if isinstance(end, DeliveryError)}
    if not failed:
        return
    error = deciding_error(list(failed.values()))
    if len(failed) == 1:
        raise error
    raise type(error)(f"{len(failed)} of {len(ends)} topics are not as specified: {', '.join(failed)}. {error}")


def _check_possible(topic: TopicSpec, observed: ObservedTopic) -> None:
    if topic.partitions < observed.partitions:
        raise TopicWouldShrink(
            f"Topic {topic.name} has {observed.partitions} partitions, but [topics] specifies {topic.partitions}. "
            f"Kafka cannot remove partitions. Specify at least {observed.partitions}, or a topic with another name."
        )
    if topic.replication_factor != observed.replication_factor:
        raise TopicFixed(
            f"Topic {topic.name} has replication factor {observed.replication_factor}, but [topics] specifies "
            f"{topic.replication_factor}. Neither the topic's configuration nor the MSK topic API can change it. "
            "Reassign the partitions manually (kafka-reassign-partitions.sh)."
        )


def _reversibility_of(partitions: int | None, differing: Mapping[str, str], observed: ObservedTopic) -> Reversibility:
    """Irreversible: more partitions, and a shorter retention, which deletes messages."""
    before = int(observed.configuration.get(RETENTION, "0"))
    is_shortened = RETENTION in differing and not 0 <= before <= int(differing[RETENTION])
    return Reversibility.IRREVERSIBLE if partitions is not None or is_shortened else Reversibility.REVERSIBLE


def _created(topic: TopicSpec) -> tuple[str, ...]:
    """First what is specified for this topic, then what all topics of the environment share."""
    own = f"{describe_partitions(topic.partitions)}, retention {describe_retention(topic.configuration[RETENTION])}"
    rest = (f"{key} {value}" for key, value in topic.configuration.items() if key != RETENTION)
    return own, ", ".join([f"{topic.replication_factor} replicas", *rest])


def _changed(partitions: int | None, differing: Mapping[str, str], observed: ObservedTopic) -> tuple[str, ...]:
    lines = [f"partitions: {observed.partitions} -> {partitions}"] if partitions is not None else []
    lines += [describe_key(key, observed.configuration.get(key), value) for key, value in differing.items()]
    return tuple(lines)


def describe_key(key: str, before: str | None, after: str) -> str:
    """`retention.ms: 14 days -> 30 days`. before: None if the brokers report no value."""
    describe = describe_retention if key == RETENTION else str
    return f"{key}: {describe(before) if before is not None else '(none)'} -> {describe(after)}"


def describe_partitions(count: int) -> str:
    return f"{count} partition{'' if count == 1 else 's'}"


def describe_retention(milliseconds: str) -> str:
    """`90 days`, `36 hours`, `1500 ms`; `unlimited` for -1."""
    if milliseconds == UNLIMITED:
        return "unlimited"
    for unit, word in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        count, rest = divmod(int(milliseconds) * MILLISECOND, unit)
        if count and not rest:
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{milliseconds} ms"


def _unknown(topic: TopicSpec) -> Step:
    lines = (*_created(topic), "after the broker cluster is created")
    return _step(topic.name, StepAction.CREATE, Reversibility.REVERSIBLE, lines)


def _step(name: str, action: StepAction, reversibility: Reversibility, lines: tuple[str, ...]) -> Step:
    return Step(phase=Phase.TOPICS, name=name, action=action, reversibility=reversibility, changes=lines)
