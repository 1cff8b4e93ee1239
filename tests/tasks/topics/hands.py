"""What tests of topics share: a broker cluster, the ways to its topics, and an AdminClient of the tests' own."""

# confluent_kafka documents these names here and re-exports them without saying so.
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
    NewPartitions,
    NewTopic,
    ResourceType,
)

from delivery.environment import BrokerSecurity, Environment, TopicsBy
from delivery.release import Record, Release
from sandbox.instance import Sandbox
from sandbox.kafka.gate import ignore_writes
from sandbox.testing import PATIENCE, eventually
from tasks.state.journal import read_journal
from tests.aws import SandboxAws
from tests.tasks.topics.metadata import knows_topic

DAY = 24 * 60 * 60 * 1000
CONFIGURATION = {"retention.ms": f"{14 * DAY}", "compression.type": "gzip", "min.insync.replicas": "2"}
# What the ways call the same writes.
REQUESTS = {"CreateTopic": ("CreateTopics",), "UpdateTopic": ("CreatePartitions", "IncrementalAlterConfigs")}


@dataclass(frozen=True)
class Way:
    """One way to the topics; `ignore` makes its server answer a write and not do it."""

    name: str
    by: TopicsBy
    security: BrokerSecurity = BrokerSecurity.IAM

    def lead(self, environment: Environment, sandbox: Sandbox, *, lag: timedelta) -> Environment:
        """The environment with its topics by this way."""
        chosen = {"by": self.by, "broker_security": self.security, "lag": lag}
        tls = environment.tls.model_copy(update={"ca_bundle": str(sandbox.state / "ca" / "ca.pem")})
        return environment.model_copy(update={"topics": environment.topics.model_copy(update=chosen), "tls": tls})

    def ignore(self, operation: str, sandbox: Sandbox, aws: SandboxAws) -> None:
        """operation: of the MSK topic API."""
        if self.by is TopicsBy.MSK_API:
            aws.fault(kind="ignore", match=f"kafka:{operation}")
        else:
            ignore_writes(sandbox.state, REQUESTS[operation])


MSK_API = Way("msk-api", TopicsBy.MSK_API)
KAFKA = Way("kafka", TopicsBy.KAFKA)
PLAINTEXT = Way("kafka in plain text", TopicsBy.KAFKA, BrokerSecurity.PLAINTEXT)

on_both_ways = pytest.mark.parametrize("way", [MSK_API, KAFKA], ids=lambda way: way.name)
by_the_topic_api = pytest.mark.parametrize("way", [MSK_API], ids=lambda way: way.name)
by_kafka = pytest.mark.parametrize("way", [KAFKA], ids=lambda way: way.name)


@dataclass(frozen=True)
class Held:
    """A topic as the brokers hold it. settings: the asked ones."""

    partitions: int
    replicas: int
    settings: Mapping[str, str]


def eventually_everywhere(claim: Callable[[], bool]) -> None:
    """Back when the claim holds for so many readings in a row that each broker has given one: any may answer."""
    eventually(lambda: all(claim() for _ in range(9)))


class Hands:
    """Somebody with an AdminClient of his own, who knows nothing of Slipway."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._brokers = sandbox.addresses.kafka
        self._admin = AdminClient({"bootstrap.servers": ",".join(self._brokers), "log_level": 0})

    def look(self, name: str, *settings: str) -> Held:
        found = self._admin.describe_topics(TopicCollection([name]))[name].result(PATIENCE)
        resource = ConfigResource(ResourceType.TOPIC, name)
        entries = self._admin.describe_configs([resource])[resource].result(PATIENCE)
        replicas = {len(partition.replicas) for partition in found.partitions}
        return Held(len(found.partitions), replicas.pop(), {key: entries[key].value for key in settings})

    def settle(self, *names: str) -> None:
        """Back when every broker knows the topics: one may have heard of a change that another is yet to hear of."""
        for broker in self._brokers:
            for name in names:
                eventually(lambda broker=broker, name=name: knows_topic(broker, name), f"{name} at {broker}")

    def names(self, prefix: str) -> set[str]:
        return {name for name in self._admin.list_topics(timeout=PATIENCE).topics if name.startswith(prefix)}

    def create(self, name: str, partitions: int = 1, replicas: int = 3) -> None:
        self._admin.create_topics([NewTopic(name, partitions, replicas)])[name].result(PATIENCE)
        self.settle(name)

    def widen(self, name: str, partitions: int) -> None:
        self._admin.create_partitions([NewPartitions(name, partitions)])[name].result(PATIENCE)
        eventually_everywhere(lambda: self.look(name).partitions == partitions)

    def set(self, name: str, key: str, value: str) -> None:
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result(PATIENCE)
        eventually_everywhere(lambda: self.look(name, key).settings[key] == value)


def told(environment: Environment, release: Release) -> list[Record]:
    return [record for record in read_journal(environment, release.number) if record.step.startswith("Topics/")]


def impatient(environment: Environment) -> Environment:
    """Which waits no longer than the sandbox's topic API lags."""
    topics = environment.topics.model_copy(update={"lag": timedelta(seconds=3)})
    return environment.model_copy(update={"topics": topics})
