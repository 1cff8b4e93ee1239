"""Topics: planned from what the brokers hold, changed only where they differ, read back until the API has caught up."""

from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from clients.aws.cloudformation import read_outputs
from clients.topics.access import TopicAdmin, open_topics
from delivery.environment import Environment
from delivery.errors import Conflict, DeliveryError, NotApplied, Rejected
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase, StepAction
from delivery.release import Release
from delivery.topics import (
    ObservedTopic,
    TopicChange,
    TopicSpec,
    conclude_topics,
    describe_held,
    is_as_specified,
    plan_topic,
    plan_topics,
    specify_topics,
)
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN, poll_until
from tasks.state.journal import effect

CLUSTER = "broker_cluster_arn"
TOLD = {StepAction.CREATE: "created", StepAction.CHANGE: "altered", StepAction.NOTHING: "as specified"}


@task(cache_policy=NO_CACHE, task_run_name="plan the topics of {environment.name}")
def make_topic_plan(environment: Environment) -> PartPlan:
    """What a release would do to each topic, and what stands in its way."""
    return plan_topics(specify_topics(environment), observe_topics(environment))


@task(**ASKED_AGAIN, task_run_name="observe the topics")
def observe_topics(environment: Environment) -> dict[str, ObservedTopic] | None:
    """The topics below the environment's prefix, by name; None where the broker cluster does not exist yet."""
    cluster_arn = read_outputs(environment).get(CLUSTER)
    if cluster_arn is None:
        return None
    topics = open_topics(environment, cluster_arn)
    # Listing may lag behind describing, so the wanted ones are asked for by name as well.
    names = {*topics.list_names(environment.topic_prefix), *(topic.name for topic in environment.topics_wanted())}
    found = (topics.read(name) for name in sorted(names))
    return {topic.name: topic for topic in found if topic is not None}


def short_name(environment: Environment, topic: TopicSpec) -> str:
    """The topic's name without what all topics of the environment begin with."""
    return topic.name.removeprefix(environment.topic_prefix)


def name_configuration(parameters: dict[str, Any]) -> str:
    """The name of a run of configure_topic with these parameters."""
    return f"configure topic {short_name(parameters['environment'], parameters['topic'])}"


# Prefect calls a name's function with the parameters where it takes them; its types do not tell.
CONFIGURED: dict[str, Any] = {**ASKED_AGAIN, "task_run_name": name_configuration}


@task(**CONFIGURED)
def configure_topic(environment: Environment, release: Release, topic: TopicSpec) -> TopicChange:
    """Create the topic or bring it to its specification, and confirm what the brokers hold.

    Raises TopicWouldShrink or TopicFixed for what cannot be done, NotApplied where it was asked for and not read back.
    """
    topics = connect_topics(environment)
    observed = topics.read(topic.name)
    change = plan_topic(topic, observed)
    if change.action is not StepAction.NOTHING:
        before = observed.model_dump() if observed else {"name": topic.name, "exists": False}
        with effect(environment, release, planned_step(Phase.TOPICS, topic.name), before) as done:
            apply_change(environment, topics, topic, change)
            done.read_back = read_back(environment, topics, topic).model_dump()
    elif not is_as_specified(topic, observed):
        read_back(environment, topics, topic)  # An earlier attempt asked for it, and it is not settled yet.
    progress(f"{short_name(environment, topic)}: {TOLD[change.action]}")
    return change


def conclude_configurations(configurations: Mapping[str, PrefectFuture[TopicChange]]) -> None:
    """Wait until every topic has ended, then raise one error for all that went wrong. configurations: by topic."""
    conclude_topics({name: end_of_configuration(future) for name, future in configurations.items()})


def end_of_configuration(configuration: PrefectFuture[TopicChange]) -> TopicChange | DeliveryError:
    end = configuration.result(raise_on_failure=False)
    if isinstance(end, BaseException) and not isinstance(end, DeliveryError):
        raise end
    return end


def connect_topics(environment: Environment) -> TopicAdmin:
    """Raises NotFound where the broker cluster does not exist."""
    return open_topics(environment, read_outputs(environment).need(CLUSTER))


def apply_change(environment: Environment, topics: TopicAdmin, topic: TopicSpec, change: TopicChange) -> None:
    if change.action is StepAction.CREATE and not topics.create(topic):
        # An earlier attempt created it, and the topic API did not tell of it yet.
        change = plan_topic(topic, wait_until_told(environment, topics, topic))
    if change.action is StepAction.CHANGE:
        # All keys, because AWS does not say whether those left out keep their value.
        configuration = topic.configuration if change.configuration else {}
        try:
            topics.update(topic.name, configuration, change.partitions)
        except (Conflict, Rejected) as refused:
            require_done(environment, topics, topic, refused)


def require_done(environment: Environment, topics: TopicAdmin, topic: TopicSpec, refused: DeliveryError) -> None:
    """Raises what refused the change, unless it is there: a request whose answer was lost is sent twice by boto3."""
    progress(f"{short_name(environment, topic)}: {refused} Looking whether an earlier request has done it.")
    try:
        read_back(environment, topics, topic)
    except NotApplied:
        raise refused from None


def wait_until_told(environment: Environment, topics: TopicAdmin, topic: TopicSpec) -> ObservedTopic:
    observed, _ = poll_until(
        lambda: topics.read(topic.name),
        lambda seen: seen is not None,
        poll=environment.stacks.poll,
        deadline=environment.topics.lag,
    )
    if observed is None:
        raise NotApplied(
            f"Topic {topic.name} exists by what the brokers say, and the topic API did not tell of it within "
            f"{environment.topics.lag}. Start the release again later."
        )
    return observed


def read_back(environment: Environment, topics: TopicAdmin, topic: TopicSpec) -> ObservedTopic:
    """The topic as specified; raises NotApplied where the API's lag is over and the brokers hold something else."""
    observed, is_applied = poll_until(
        lambda: topics.read(topic.name),
        lambda seen: is_as_specified(topic, seen),
        poll=environment.stacks.poll,
        deadline=environment.topics.lag,
    )
    if observed is None or not is_applied:
        raise NotApplied(
            f"Topic {topic.name} did not come to be as specified within {environment.topics.lag}; the brokers tell: "
            f"{describe_held(topic, observed)}. Look at the brokers' health, then start the release again."
        )
    return observed
