"""The section `[topics]` of an environment's file."""

from enum import StrEnum

from pydantic import Field

from delivery.fields import Duration, Section


class Topic(Section):
    """One Kafka topic."""

    name: str
    """Name without its prefix. The topic's name in the cluster is `PROJECT.ENVIRONMENT.` followed by this name."""

    partitions: int = Field(ge=1)
    """Number of partitions. A plan is refused if the topic already has more, because Kafka cannot remove partitions."""

    retention: Duration
    """How long the brokers keep a message (`retention.ms`)."""


class TopicsBy(StrEnum):
    MSK_API = "msk-api"
    KAFKA = "kafka"


class BrokerSecurity(StrEnum):
    IAM = "iam"
    PLAINTEXT = "plaintext"


class Topics(Section):
    """The Kafka topics, and the settings that all of them share."""

    by: TopicsBy
    """The API that reads and changes topics. `msk-api` is the topic API of Amazon MSK. `kafka` is the Kafka protocol,
    for clusters without the topic API (Kafka before 3.6). It needs a network path to the brokers.
    """

    broker_security: BrokerSecurity = BrokerSecurity.IAM
    """How Slipway connects to the brokers if `by` is `kafka`. `iam` uses TLS and AWS credentials, `plaintext` uses
    neither TLS nor credentials.
    """

    replication_factor: int = Field(ge=1)
    """Replicas of each partition. Slipway sets this number only when it creates a topic. If an existing topic has
    another number, the plan is refused.
    """

    min_insync_replicas: int = Field(ge=1)
    """How many replicas must have a message before a write succeeds (`min.insync.replicas`)."""

    compression: str
    """Compression of the messages (`compression.type`), such as `gzip`."""

    lag: Duration
    """Maximum time until a read shows a change. If a read still shows another state after this time, the release
    fails.
    """

    specified: tuple[Topic, ...]
    """The topics. A topic that is not in the list is not changed, and the plan names it."""
