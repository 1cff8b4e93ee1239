"""The calls of the MSK topic API to the brokers, by the Kafka protocol."""

# confluent_kafka documents these names here, but does not list them as exports.
# pyright: reportPrivateImportUsage=false

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from sandbox.aws.http.rest import RestError

SECONDS = 10.0
Value = TypeVar("Value")


@dataclass(frozen=True)
class Partition:
    number: int
    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True)
class Topic:
    """A topic as the brokers report it. configs: only the settings of the topic itself."""

    name: str
    partitions: tuple[Partition, ...]
    configs: dict[str, str]

    @property
    def replication_factor(self) -> int:
        return len(self.partitions[0].replicas)

    @property
    def out_of_sync_replicas(self) -> int:
        return sum(len(partition.replicas) - len(partition.in_sync) for partition in self.partitions)


class Brokers:
    """The brokers of all clusters. Each call can raise a RestError of the MSK topic API."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._lock = threading.Lock()
        self._client: AdminClient | None = None

    def topics(self) -> dict[str, Topic]:
        metadata = _answer(lambda: self._admin().list_topics(timeout=SECONDS))
        known = {name: topic for name, topic in metadata.topics.items() if topic.error is None and topic.partitions}
        configs = self._configs(list(known))
        # During a deletion, one broker may still list a topic that another broker does not know any more.
        return {name: Topic(name, _partitions(known[name]), configs[name]) for name in sorted(known) if name in configs}

    def topic(self, name: str) -> Topic | None:
        return self.topics().get(name)

    def create(self, name: str, partitions: int, replication_factor: int, configs: dict[str, str]) -> None:
        topic = NewTopic(name, partitions, replication_factor, config=configs)
        self._wait(self._admin().create_topics([topic], request_timeout=SECONDS))

    def add_partitions(self, name: str, partitions: int) -> None:
        self._wait(self._admin().create_partitions([NewPartitions(name, partitions)], request_timeout=SECONDS))

    def set_configs(self, name: str, configs: dict[str, str]) -> None:
        """Set these settings and do not change the others."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in configs.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        self._wait(self._admin().incremental_alter_configs([resource], request_timeout=SECONDS))

    def delete(self, name: str) -> None:
        self._wait(self._admin().delete_topics([name], request_timeout=SECONDS))

    def _configs(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = self._admin().describe_configs(resources, request_timeout=SECONDS)
        entries = {resource.name: _answer_unless_deleted(future.result) for resource, future in answers.items()}
        return {name: _own(found) for name, found in entries.items() if found is not None}

    def _admin(self) -> AdminClient:
        with self._lock:
            if self._client is None:
                self._client = AdminClient(
                    {
                        "bootstrap.servers": self._bootstrap_servers,
                        "socket.timeout.ms": int(SECONDS * 1000),
                        "log_level": 2,
                    }
                )
            return self._client

    @staticmethod
    def _wait(futures: dict[Any, Future[Any]]) -> None:
        for future in futures.values():
            _answer(future.result)


def _partitions(metadata: Any) -> tuple[Partition, ...]:
    return tuple(
        Partition(number, one.leader, tuple(one.replicas), tuple(one.isrs))
        for number, one in sorted(metadata.partitions.items())
    )


def _own(entries: dict[str, Any]) -> dict[str, str]:
    own_source = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return {name: entry.value for name, entry in sorted(entries.items()) if entry.source == own_source}


# The exceptions of the topic API for the errors of Kafka. Other errors are a KafkaRequestException.
ERRORS = {
    KafkaError.TOPIC_ALREADY_EXISTS: (409, "TopicExistsException"),
    KafkaError.UNKNOWN_TOPIC_OR_PART: (404, "UnknownTopicOrPartitionException"),
    KafkaError.REASSIGNMENT_IN_PROGRESS: (409, "ReassignmentInProgressException"),
    KafkaError.NOT_CONTROLLER: (409, "NotControllerException"),
    KafkaError.REQUEST_TIMED_OUT: (409, "KafkaTimeoutException"),
    KafkaError._TIMED_OUT: (409, "KafkaTimeoutException"),
    KafkaError._TRANSPORT: (409, "ClusterConnectivityException"),
    KafkaError._ALL_BROKERS_DOWN: (409, "ClusterConnectivityException"),
    KafkaError._RESOLVE: (409, "ClusterConnectivityException"),
    KafkaError._DESTROY_BROKER: (409, "ClusterConnectivityException"),
    KafkaError.INVALID_PARTITIONS: (400, "BadRequestException"),
    KafkaError.INVALID_REPLICATION_FACTOR: (400, "BadRequestException"),
    KafkaError.INVALID_CONFIG: (400, "BadRequestException"),
    KafkaError.TOPIC_EXCEPTION: (400, "BadRequestException"),
    KafkaError._INVALID_ARG: (400, "BadRequestException"),
}


def _answer(call: Callable[[], Value]) -> Value:
    """The result of the call. Errors of the brokers become a RestError of the topic API."""
    try:
        return call()
    except KafkaException as error:
        cause = error.args[0]
        status, code = ERRORS.get(cause.code(), (400, "KafkaRequestException"))
        raise RestError(status, code, cause.str()) from error


def _answer_unless_deleted(call: Callable[[], Value]) -> Value | None:
    try:
        return _answer(call)
    except RestError as error:
        if error.code == "UnknownTopicOrPartitionException":
            return None
        raise
