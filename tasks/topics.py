"""Topics: read, changed only if they differ from their specification, and read back."""

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from clients.aws.cloudformation import read_outputs
from clients.topics.access import TopicAdmin, open_topics
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Conflict, DeliveryError, NotApplied, Rejected
from delivery.fields import format_duration
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase, StepAction
from delivery.topics import (
    ObservedTopic,
    TopicChange,
    TopicSpec,
    conclude_topics,
    describe_difference,
    is_as_specified,
    plan_topic,
    plan_topics,
    specify_topics,
)
from tasks.runs.futures import end_of_run
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED, poll_until
from tasks.state.journal import effect

CLUSTER = "broker_cluster_arn"
RESULTS = {StepAction.CREATE: "created", StepAction.CHANGE: "altered", StepAction.NOTHING: "as specified"}


@task(cache_policy=NO_CACHE, task_run_name="plan the topics of {environment.name}")
def make_topic_plan(environment: Environment) -> PartPlan:
    """What a release would do to each topic, and the reasons to refuse it."""
    return plan_topics(specify_topics(environment), observe_topics(environment))


@task(**RETRIED, task_run_name="read the topics")
def observe_topics(environment: Environment) -> dict[str, ObservedTopic] | None:
    """The topics with the environment's prefix, by name. None if the broker cluster does not exist yet."""
    cluster_arn = read_outputs(environment).get(CLUSTER)
    if cluster_arn is None:
        return None
    topics = open_topics(environment, cluster_arn)
    # The list may lag behind, so the specified topics are also read by name.
    names = {*topics.list_names(environment.topic_prefix), *(topic.name for topic in environment.topics_wanted())}
    found = (topics.read(name) for name in sorted(names))
    return {topic.name: topic for topic in found if topic is not None}


def short_name(environment: Environment, topic: TopicSpec) -> str:
    """The name of the topic without the environment's prefix."""
    return topic.name.removeprefix(environment.topic_prefix)


def name_configuration(parameters: dict[str, Any]) -> str:
    """The run name of configure_topic. parameters: those of the run."""
    return f"configure topic {short_name(parameters['context'].environment, parameters['topic'])}"


# Prefect passes the parameters to a function that takes them. The type of task_run_name does not say so.
CONFIGURE_OPTIONS: dict[str, Any] = {**RETRIED, "task_run_name": name_configuration}


@task(**CONFIGURE_OPTIONS)
def configure_topic(context: ReleaseContext, topic: TopicSpec) -> TopicChange:
    """Create the topic or bring it to its specification, and confirm what the brokers report.

    Raises TopicWouldShrink or TopicFixed if no change can do this, and NotApplied if the change is not read back.
    """
    return bring_to_specification(context, connect_topics(context.environment), topic)


def bring_to_specification(context: ReleaseContext, topics: TopicAdmin, topic: TopicSpec) -> TopicChange:
    environment, observed = context.environment, topics.read(topic.name)
    change = plan_topic(topic, observed)
    if change.action is not StepAction.NOTHING:
        before = observed.model_dump() if observed else {"name": topic.name, "exists": False}
        with effect(context, planned_step(Phase.TOPICS, topic.name), before) as done:
            apply_change(environment, topics, topic, change)
            done.read_back = read_back(environment, topics, topic).model_dump()
    elif not is_as_specified(topic, observed):
        read_back(environment, topics, topic)  # The change of an earlier attempt is still in progress.
    progress(f"{short_name(environment, topic)}: {RESULTS[change.action]}")
    return change


def conclude_configurations(configurations: Mapping[str, PrefectFuture[TopicChange]]) -> None:
    """Wait until all runs have ended, then raise one error for all failures. configurations: by topic."""
    conclude_topics({name: end_of_run(run) for name, run in configurations.items()})


def connect_topics(environment: Environment) -> TopicAdmin:
    """Raises NotFound if the broker cluster does not exist."""
    return open_topics(environment, read_outputs(environment).need(CLUSTER))


def apply_change(environment: Environment, topics: TopicAdmin, topic: TopicSpec, change: TopicChange) -> None:
    if change.action is StepAction.CREATE and not topics.create(topic):
        # An earlier attempt created it, and the topic API does not return it yet.
        change = plan_topic(topic, wait_until_visible(environment, topics, topic))
    if change.action is StepAction.CHANGE:
        # All keys, because AWS does not document whether omitted keys keep their value.
        configuration = topic.configuration if change.configuration else {}
        try:
            topics.update(topic.name, configuration, change.partitions)
        except (Conflict, Rejected) as refused:
            require_done(environment, topics, topic, refused)


def require_done(environment: Environment, topics: TopicAdmin, topic: TopicSpec, refused: DeliveryError) -> None:
    """Raise the refusal, unless the change is already made: boto3 repeats a request whose response was lost."""
    progress(f"{short_name(environment, topic)}: {refused} Checking whether an earlier request made the change.")
    try:
        read_back(environment, topics, topic)
    except NotApplied:
        raise refused from None


def wait_until_visible(environment: Environment, topics: TopicAdmin, topic: TopicSpec) -> ObservedTopic:
    """Raises NotApplied if the topic API does not return the topic within its lag."""
    observed, _ = poll_until(
        lambda: topics.read(topic.name),
        lambda seen: seen is not None,
        poll=environment.stacks.poll,
        deadline=environment.topics.lag,
    )
    if observed is None:
        raise NotApplied(
            f"Topic {topic.name} exists, but the topic API did not return it within "
            f"{format_duration(environment.topics.lag)}. Start the release again later."
        )
    return observed


def read_back(environment: Environment, topics: TopicAdmin, topic: TopicSpec) -> ObservedTopic:
    """The topic as specified. Raises NotApplied if it still differs when the lag of the API is over."""
    observed, is_applied = poll_until(
        lambda: topics.read(topic.name),
        lambda seen: is_as_specified(topic, seen),
        poll=environment.stacks.poll,
        deadline=environment.topics.lag,
    )
    if observed is None or not is_applied:
        raise NotApplied(
            f"Topic {topic.name} still differs from its specification after {format_duration(environment.topics.lag)}: "
            f"{describe_difference(topic, observed)}. Check the health of the brokers, then start the release again."
        )
    return observed
