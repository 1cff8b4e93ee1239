"""Topics created and altered on real brokers: the same on both ways, and on each what is its own."""

import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from clients.topics import Topics
from delivery.environment import Environment
from delivery.errors import Conflict, NotApplied, NotFound, NotPermitted, TopicFixed, TopicWouldShrink, Unavailable
from delivery.plan import Action, Phase
from delivery.release import Event, Record, Release
from delivery.topics import TopicSpec, is_as_specified, plan_topic, plan_topics, specify_topics
from delivery.verdict import Verdict
from delivery.verification import judge_part
from sandbox.instance import Sandbox
from sandbox.kafka.gate import ignore_writes
from tasks.holds import hold_environment
from tasks.journal import read_journal
from tasks.topics import apply_change, configure_topic, connect_topics, observe_topics
from tests.assemblies import Project, make_project
from tests.aws import SandboxAws
from tests.sandbox.polling import eventually
from tests.tasks.topics import KAFKA, MSK_API, PLAINTEXT, Hands, Held, Way

DIGEST = "sha256:" + "d" * 64
DAY = 24 * 60 * 60 * 1000
CONFIGURATION = {"retention.ms": f"{14 * DAY}", "compression.type": "gzip", "min.insync.replicas": "2"}

on_both_ways = pytest.mark.parametrize("way", [MSK_API, KAFKA], ids=lambda way: way.name)
by_the_topic_api = pytest.mark.parametrize("way", [MSK_API], ids=lambda way: way.name)
by_kafka = pytest.mark.parametrize("way", [KAFKA], ids=lambda way: way.name)


@pytest.fixture(scope="module")
def brokers(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack with a broker cluster, which all tests share: it takes as long to make as everything else of them."""
    sandbox.require("aws", "kafka")
    project = make_project(f"t{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("brokers"))
    outputs = {"MSKStack": {"MSKClusterArn": {"Ref": "Cluster"}}}
    project.write({"MSKStack": {"Cluster": project.cluster()}}, outputs=outputs)
    project.deploy_by_hand(SandboxAws(sandbox.addresses.aws))
    return project


@pytest.fixture
def environment(brokers: Project, sandbox: Sandbox, aws: SandboxAws, way: Way) -> Iterator[Environment]:
    """A project of its own, so that each test has topics of its own."""
    own = brokers.environment.model_copy(update={"project": f"t{uuid.uuid4().hex[:8]}"})
    yield way.lead(own, sandbox, lag=timedelta(seconds=20))
    ignore_writes(sandbox.state)


@pytest.fixture
def release(environment: Environment) -> Iterator[Release]:
    with hold_environment(environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


@pytest.fixture
def topic(environment: Environment) -> TopicSpec:
    name = f"{environment.topic_prefix}views"
    return TopicSpec(name=name, partitions=3, replication_factor=3, configuration=CONFIGURATION)


@pytest.fixture
def topics(environment: Environment) -> Topics:
    return connect_topics(environment)


@pytest.fixture
def hands(brokers: Project, sandbox: Sandbox) -> Hands:
    return Hands(sandbox)


def told(environment: Environment, release: Release) -> list[Record]:
    return [record for record in read_journal(environment, release.number) if record.step.startswith("Topics/")]


def impatient(environment: Environment) -> Environment:
    """Which waits no longer than the sandbox's topic API lags."""
    topics = environment.topics.model_copy(update={"lag": timedelta(seconds=3)})
    return environment.model_copy(update={"topics": topics})


def configure_all(environment: Environment, release: Release) -> None:
    """All topics side by side, as the flow does it."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda topic: configure_topic.fn(environment, release, topic), specify_topics(environment)))


@pytest.mark.parametrize("way", [MSK_API, KAFKA, PLAINTEXT], ids=lambda way: way.name)
def test_a_missing_topic_is_created_and_read_back_and_then_left_alone(
    environment: Environment, release: Release, topic: TopicSpec, topics: Topics, hands: Hands
) -> None:
    assert configure_topic.fn(environment, release, topic).action is Action.CREATE
    hands.settle(topic.name)
    assert is_as_specified(topic, topics.read(topic.name))
    assert [record.event for record in told(environment, release)] == [Event.INTENDED, Event.DONE]
    assert configure_topic.fn(environment, release, topic).action is Action.NOTHING
    assert len(told(environment, release)) == 2


@on_both_ways
def test_a_topic_that_exists_is_not_created_again(
    topic: TopicSpec, topics: Topics, hands: Hands, environment: Environment
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
    assert told(environment, release) == []


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
    assert [step.action for step in plan.steps] == [Action.CREATE] * 5
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


@by_the_topic_api
def test_a_creation_whose_answer_was_lost_is_found_done(
    environment: Environment, release: Release, topic: TopicSpec, topics: Topics, aws: SandboxAws
) -> None:
    aws.fault(kind="drop", match="kafka:CreateTopic", times=1)
    configure_topic.fn(environment, release, topic)
    assert is_as_specified(topic, topics.read(topic.name))


class Twice:
    """Topics whose change is asked for a second time, which the API refuses: boto3 does so where an answer is lost."""

    def __init__(self, topics: Topics, *, loses_the_first: bool) -> None:
        self.read, self.list_names, self.create = topics.read, topics.list_names, topics.create
        self._topics, self._loses_the_first = topics, loses_the_first

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        if not self._loses_the_first:
            self._topics.update(name, configuration, partitions)
        raise Conflict(f"Could not change topic {name}: it is being updated.")


@by_the_topic_api
def test_a_change_whose_answer_was_lost_is_found_done(
    environment: Environment, topic: TopicSpec, topics: Topics, hands: Hands
) -> None:
    hands.create(topic.name, partitions=1)
    change = plan_topic(topic, topics.read(topic.name))
    apply_change(environment, Twice(topics, loses_the_first=False), topic, change)
    assert is_as_specified(topic, topics.read(topic.name))


@by_the_topic_api
def test_a_change_that_is_refused_and_not_there_fails_by_its_refusal(
    environment: Environment, topic: TopicSpec, topics: Topics, hands: Hands
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
