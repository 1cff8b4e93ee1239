"""The topics of a cluster, through the API that `[topics] by` names."""

from collections.abc import Mapping
from typing import Protocol

from clients.topics.kafka import KafkaTopics
from clients.topics.msk import MskTopics
from delivery.environment import Environment
from delivery.settings.topics import TopicsBy
from delivery.topics import ObservedTopic, TopicSpec


class TopicAdmin(Protocol):
    """Reads and changes topics. Raises only DeliveryErrors. Reads can return the state from before a change."""

    def read(self, name: str) -> ObservedTopic | None:
        """The topic; None if it does not exist, or is not visible yet."""
        ...

    def list_names(self, prefix: str) -> tuple[str, ...]:
        """The names of the topics with this prefix, sorted."""
        ...

    def create(self, topic: TopicSpec) -> bool:
        """Whether the topic was created. False: it already existed, and is unchanged."""
        ...

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        """Set these keys, and the number of partitions unless it is None."""
        ...


def open_topics(environment: Environment, cluster_arn: str) -> TopicAdmin:
    """The topics of the cluster. The Kafka protocol needs a network path to the brokers."""
    if environment.topics.by is TopicsBy.MSK_API:
        return MskTopics(cluster_arn, environment.aws.region)
    return KafkaTopics(environment, cluster_arn)
