"""The topics of a cluster, by whichever way the environment names."""

from collections.abc import Mapping
from typing import Protocol

from clients.topics.kafka import KafkaTopics
from clients.topics.msk import MskTopics
from delivery.environment import Environment, TopicsBy
from delivery.topics import ObservedTopic, TopicSpec


class TopicAdmin(Protocol):
    """Raises DeliveryErrors only. Answers may lag behind a write."""

    def read(self, name: str) -> ObservedTopic | None:
        """None where there is no such topic, or where it is not told of yet."""
        ...

    def list_names(self, prefix: str) -> tuple[str, ...]:
        """The names that begin so, sorted."""
        ...

    def create(self, topic: TopicSpec) -> bool:
        """Whether the topic was created; False: there was one already, and it was left as it is."""
        ...

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        """Set these keys and, unless None, the number of partitions."""
        ...


def open_topics(environment: Environment, cluster_arn: str) -> TopicAdmin:
    """The cluster's topics by `[topics] by`; the Kafka protocol needs a path to the brokers."""
    if environment.topics.by is TopicsBy.MSK_API:
        return MskTopics(cluster_arn, environment.aws.region)
    return KafkaTopics(environment, cluster_arn)
