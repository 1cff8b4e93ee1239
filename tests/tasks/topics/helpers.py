"""Shared by the tests of topics: the APIs for topics, and a Kafka client that is independent of Slipway."""

# confluent_kafka documents these names in this module, but does not list them as exports.
# pyright: reportPrivateImportUsage=false

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.release import Record
from delivery.settings.topics import BrokerSecurity, TopicsBy
from sandbox.instance import Sandbox
from sandbox.kafka.iam_proxy import ignore_writes
from sandbox.testing import PATIENCE, eventually
from tasks.state.journal import read_journal
from tests.aws import SandboxAws
from tests.tasks.topics.metadata import knows_topic

DAY = 24 * 60 * 60 * 1000
CONFIGURATION = {"retention.ms": f"{14 * DAY}", "compression.type": "gzip", "min.insync.replicas": "2"}
# The requests of the Kafka protocol for each operation of the MSK topic API.
REQUESTS = {"CreateTopic": ("CreateTopics",), "UpdateTopic": ("CreatePartitions", "IncrementalAlterConfigs")}


@dataclass(frozen=True)
class TopicApi:
    """One API for topics."""

    name: str
    by: TopicsBy
    security: BrokerSecurity = BrokerSecurity.IAM

    def use(self, environment: Environment, sandbox: Sandbox, *, lag: timedelta) -> Environment:
        """The environment with this API for its topics."""
        changes = {"by": self.by, "broker_security": self.security, "lag": lag}
        tls = environment.tls.model_copy(update={"ca_bundle": str(sandbox.state / "ca" / "ca.pem")})
        return environment.model_copy(update={"topics": environment.topics.model_copy(update=changes), "tls": tls})

    def ignore(self, operation: str, sandbox: Sandbox, aws: SandboxAws) -> None:
        """Make the server confirm a write that it does not do. operation: of the MSK topic API."""
        if self.by is TopicsBy.MSK_API:
            aws.fault(kind="ignore", match=f"kafka:{operation}")
        else:
            ignore_writes(sandbox.state, REQUESTS[operation])


MSK_API = TopicApi("msk-api", TopicsBy.MSK_API)
KAFKA = TopicApi("kafka", TopicsBy.KAFKA)
PLAINTEXT = TopicApi("kafka-plaintext", TopicsBy.KAFKA, BrokerSecurity.PLAINTEXT)

with_both_apis = pytest.mark.parametrize("topic_api", [MSK_API, KAFKA], ids=lambda api: api.name)
with_the_msk_api = pytest.mark.parametrize("topic_api", [MSK_API], ids=lambda api: api.name)
with_kafka = pytest.mark.parametrize("topic_api", [KAFKA], ids=lambda api: api.name)


@dataclass(frozen=True)
class TopicState:
    """A topic as the brokers report it. configuration: of the requested keys."""

    partitions: int
    replicas: int
    configuration: Mapping[str, str]


def eventually_everywhere(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true in nine reads in a row. Any broker may answer, so each has probably answered."""
    eventually(lambda: all(condition() for _ in range(9)))


class KafkaAdmin:
    """A Kafka client that is independent of Slipway."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._brokers = sandbox.addresses.kafka
        self._admin = AdminClient({"bootstrap.servers": ",".join(self._brokers), "log_level": 0})

    def read(self, name: str, *keys: str) -> TopicState:
        found = self._admin.describe_topics(TopicCollection([name]))[name].result(PATIENCE)
        resource = ConfigResource(ResourceType.TOPIC, name)
        entries = self._admin.describe_configs([resource])[resource].result(PATIENCE)
        replicas = {len(partition.replicas) for partition in found.partitions}
        return TopicState(len(found.partitions), replicas.pop(), {key: entries[key].value for key in keys})

    def wait_until_visible(self, *names: str) -> None:
        """Wait until each broker knows the topics. Brokers do not learn of a new topic at the same time."""
        for broker in self._brokers:
            for name in names:
                eventually(lambda broker=broker, name=name: knows_topic(broker, name), f"{name} at {broker}")

    def list_names(self, prefix: str) -> set[str]:
        return {name for name in self._admin.list_topics(timeout=PATIENCE).topics if name.startswith(prefix)}

    def create(self, name: str, partitions: int = 1, replicas: int = 3) -> None:
        self._admin.create_topics([NewTopic(name, partitions, replicas)])[name].result(PATIENCE)
        self.wait_until_visible(name)

    def set(self, name: str, key: str, value: str) -> None:
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result(PATIENCE)
        eventually_everywhere(lambda: self.read(name, key).configuration[key] == value)


def recorded(context: ReleaseContext) -> list[Record]:
    """The records of topics in the journal."""
    return [
        record
        for record in read_journal(context.environment, context.release.number)
        if record.step.startswith("Topics/")
    ]


def with_short_lag(environment: Environment) -> Environment:
    """The environment with a lag that is as short as that of the topic API of the sandbox."""
    topics = environment.topics.model_copy(update={"lag": timedelta(seconds=3)})
    return environment.model_copy(update={"topics": topics})
