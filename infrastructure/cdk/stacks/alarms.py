"""The alarms of an environment, and their thresholds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stacks.parameters import Parameters

GIBIBYTE = 1024**3


@dataclass(frozen=True)
class AlarmRule:
    """A metric and the value that it must not pass for three periods."""

    name: str
    namespace: str
    metric: str
    statistic: str
    threshold: float
    dimensions: Mapping[str, str] = field(default_factory=dict)
    is_floor: bool = False
    missing_is_bad: bool = False


@dataclass(frozen=True)
class Watched:
    """The systems whose metrics the alarms watch."""

    database: str
    brokers: str
    cache: str
    cluster: str


def list_alarms(parameters: Parameters, watched: Watched, broker_count: int, cache_nodes: int) -> list[AlarmRule]:
    """Every alarm of an environment."""
    return [
        *application_alarms(parameters.metric_namespace),
        *database_alarms(watched.database),
        *broker_alarms(watched.brokers, broker_count),
        *cache_alarms(watched.cache, cache_nodes),
        AlarmRule(
            "cluster-api-errors",
            "AWS/EKS",
            "apiserver_request_total_5XX",
            "Sum",
            50,
            dimensions={"ClusterName": watched.cluster},
        ),
    ]


def application_alarms(namespace: str) -> Iterator[AlarmRule]:
    """Events that fail, and events that no longer arrive; Micrometer adds .count to a counter's name."""
    yield AlarmRule("events-failed", namespace, "observability.events.failed.count", "Sum", 10)
    yield AlarmRule(
        "events-missing",
        namespace,
        "observability.events.received.count",
        "Sum",
        1,
        is_floor=True,
        missing_is_bad=True,
    )


def database_alarms(database: str) -> Iterator[AlarmRule]:
    """The database runs hot, out of space, or out of memory."""
    instance = {"DBInstanceIdentifier": database}
    yield AlarmRule("database-cpu", "AWS/RDS", "CPUUtilization", "Average", 80, instance)
    yield AlarmRule(
        "database-storage", "AWS/RDS", "FreeStorageSpace", "Minimum", 10 * GIBIBYTE, instance, is_floor=True
    )
    yield AlarmRule("database-memory", "AWS/RDS", "FreeableMemory", "Minimum", GIBIBYTE, instance, is_floor=True)


def broker_alarms(cluster: str, broker_count: int) -> Iterator[AlarmRule]:
    """Partitions offline or short of replicas, and disks that fill up.

    Offline partitions are counted per cluster, the rest per broker (broker ids count from 1).
    """
    offline = {"Cluster Name": cluster}
    yield AlarmRule("brokers-offline-partitions", "AWS/Kafka", "OfflinePartitionsCount", "Maximum", 0, offline)
    for broker in range(1, broker_count + 1):
        one = {"Cluster Name": cluster, "Broker ID": str(broker)}
        yield AlarmRule(f"broker-{broker}-disk", "AWS/Kafka", "KafkaDataLogsDiskUsed", "Maximum", 85, one)
        yield AlarmRule(f"broker-{broker}-under-min-isr", "AWS/Kafka", "UnderMinIsrPartitionCount", "Maximum", 0, one)


def cache_alarms(replication_group: str, nodes: int) -> Iterator[AlarmRule]:
    """Memory and engine load; ElastiCache counts them per node, not per replication group."""
    for node in range(1, nodes + 1):
        one = {"CacheClusterId": f"{replication_group}-{node:03}"}
        memory = "DatabaseMemoryUsagePercentage"
        yield AlarmRule(f"cache-{node}-memory", "AWS/ElastiCache", memory, "Average", 80, one)
        yield AlarmRule(f"cache-{node}-cpu", "AWS/ElastiCache", "EngineCPUUtilization", "Average", 80, one)
