"""What a topic should be, what it is, and the change that brings one to the other."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from delivery.environment import Environment
from delivery.errors import DeliveryError, TopicFixed, TopicWouldShrink, first_to_tell
from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction

MILLISECOND = timedelta(milliseconds=1)
RETENTION = "retention.ms"
FOR_EVER = "-1"


class TopicSpec(BaseModel):
    """configuration: the topic's own keys, which are not the broker's of the same meaning."""

    model_config = ConfigDict(frozen=True)

    name: str
    partitions: int
    replication_factor: int
    configuration: dict[str, str]


class ObservedTopic(BaseModel):
    """A topic as the brokers hold it. configuration: every key that is told, not only ours."""

    model_config = ConfigDict(frozen=True)

    name: str
    partitions: int
    replication_factor: int
    configuration: dict[str, str]
    is_settled: bool = True


class TopicChange(BaseModel):
    """action: what to do. partitions, configuration: only what differs; everything for a topic to be created."""

    model_config = ConfigDict(frozen=True)

    action: StepAction
    partitions: int | None = None
    configuration: dict[str, str] = {}
    lines: tuple[str, ...] = ()
    way_back: Reversibility = Reversibility.REVERSIBLE


def specify_topics(environment: Environment) -> tuple[TopicSpec, ...]:
    """The environment's topics with what they share."""
    shared = environment.topics
    return tuple(
        TopicSpec(
            name=topic.name,
            partitions=topic.partitions,
            replication_factor=shared.replication_factor,
            configuration={
                # The guide's log.retention.ms is the brokers' key; a topic's is this one.
                RETENTION: str(topic.retention // MILLISECOND),
                "compression.type": shared.compression,
                "min.insync.replicas": str(shared.min_insync_replicas),
            },
        )
        for topic in environment.topics_wanted()
    )


def plan_topics(wanted: Sequence[TopicSpec], observed: Mapping[str, ObservedTopic] | None) -> PartPlan:
    """A step for each topic in the settings' order.

    observed: by name, the topics that exist, also those that are not wanted; None where the cluster does not exist yet,
    or takes no questions.
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
            steps.append(_step(topic.name, change.action, change.way_back, change.lines))
    return PartPlan(steps=tuple(steps), refusals=tuple(refusals), findings=_name_others(wanted, observed))


def _name_others(wanted: Sequence[TopicSpec], observed: Mapping[str, ObservedTopic]) -> tuple[str, ...]:
    others = sorted(observed.keys() - {topic.name for topic in wanted})
    if not others:
        return ()
    return (f"{', '.join(others)}: in no list of [topics], left as they are. List them, or delete them by hand.",)


def plan_topic(topic: TopicSpec, observed: ObservedTopic | None) -> TopicChange:
    """The change to one topic; raises TopicWouldShrink or TopicFixed for what no change can bring."""
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
        way_back=_way_back(partitions, differing, observed),
    )


def is_as_specified(topic: TopicSpec, observed: ObservedTopic | None) -> bool:
    """Whether the brokers hold the topic as wanted and are done with it."""
    return observed is not None and observed.is_settled and plan_topic(topic, observed).action is StepAction.NOTHING


def describe_held(topic: TopicSpec, observed: ObservedTopic | None) -> str:
    """What keeps a topic from being as specified, as the operator reads it."""
    if observed is None:
        return "there is no such topic"
    return "; ".join(plan_topic(topic, observed).lines) or "the change is still under way"


def conclude_topics(ends: Mapping[str, TopicChange | DeliveryError]) -> None:
    """Raise one error that names every topic that is not as specified; nothing if all are.

    ends: by topic. Raises the error that stopped the release where one did, because no way back may start then, and
    the first one otherwise.
    """
    failed = {name: end for name, end in ends.items() if isinstance(end, DeliveryError)}
    if not failed:
        return
    error = first_to_tell(list(failed.values()))
    if len(failed) == 1:
        raise error
    raise type(error)(f"{len(failed)} of {len(ends)} topics are not as specified: {', '.join(failed)}. {error}")


def _check_possible(topic: TopicSpec, observed: ObservedTopic) -> None:
    if topic.partitions < observed.partitions:
        raise TopicWouldShrink(
            f"Topic {topic.name} has {observed.partitions} partitions and is asked for {topic.partitions}: "
            "Kafka cannot take partitions away. Raise it in [topics], or make a topic of another name."
        )
    if topic.replication_factor != observed.replication_factor:
        raise TopicFixed(
            f"Topic {topic.name} has {observed.replication_factor} replicas and is asked for "
            f"{topic.replication_factor}: neither a topic's settings nor the topic API change that. Reassign its "
            "partitions by hand."
        )


def _way_back(partitions: int | None, differing: Mapping[str, str], observed: ObservedTopic) -> Reversibility:
    """Partitions are never taken away, and what a shorter retention deleted does not come back."""
    before = int(observed.configuration.get(RETENTION, "0"))
    is_shortened = RETENTION in differing and not 0 <= before <= int(differing[RETENTION])
    return Reversibility.NONE if partitions is not None or is_shortened else Reversibility.REVERSIBLE


def _created(topic: TopicSpec) -> tuple[str, ...]:
    """What is a topic's own, then what it shares with all others of the environment."""
    own = f"{describe_partitions(topic.partitions)}, kept {describe_retention(topic.configuration[RETENTION])}"
    rest = (f"{key} {value}" for key, value in topic.configuration.items() if key != RETENTION)
    return own, ", ".join([f"{topic.replication_factor} replicas", *rest])


def _changed(partitions: int | None, differing: Mapping[str, str], observed: ObservedTopic) -> tuple[str, ...]:
    lines = [f"partitions: {observed.partitions} -> {partitions}"] if partitions is not None else []
    lines += [describe_key(key, observed.configuration.get(key), value) for key, value in differing.items()]
    return tuple(lines)


def describe_key(key: str, before: str | None, after: str) -> str:
    """`retention.ms: 14 days -> 30 days`; None: the brokers tell no value."""
    say = describe_retention if key == RETENTION else str
    return f"{key}: {say(before) if before is not None else '(none)'} -> {say(after)}"


def describe_partitions(count: int) -> str:
    return f"{count} partition{'' if count == 1 else 's'}"


def describe_retention(milliseconds: str) -> str:
    """`90 days`, `36 hours`; for ever for Kafka's -1, and the number itself where it is neither."""
    if milliseconds == FOR_EVER:
        return "for ever"
    for unit, word in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        count, rest = divmod(int(milliseconds) * MILLISECOND, unit)
        if count and not rest:
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{milliseconds} ms"


def _unknown(topic: TopicSpec) -> Step:
    return _step(
        topic.name, StepAction.CREATE, Reversibility.REVERSIBLE, (*_created(topic), "known after the broker cluster")
    )


def _step(name: str, action: StepAction, way_back: Reversibility, lines: tuple[str, ...]) -> Step:
    return Step(phase=Phase.TOPICS, name=name, action=action, way_back=way_back, changes=lines)
