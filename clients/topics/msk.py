"""Topics through the MSK topic API, which needs no network path to the brokers; and the addresses of the brokers."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from clients.aws.session import aws_client, translated
from delivery.errors import Conflict, NotFound, Rejected
from delivery.topics import ObservedTopic, TopicSpec

# Which addresses clients should use, in order of preference.
BOOTSTRAP = ("BootstrapBrokerStringSaslIam", "BootstrapBrokerStringTls", "BootstrapBrokerString")


class MskTopics:
    """A TopicAdmin of one cluster, see clients/topics/access.py. Reads can lag a change by a minute."""

    def __init__(self, cluster_arn: str, region: str) -> None:
        self._cluster = {"ClusterArn": cluster_arn}
        self._api = aws_client("kafka", region)

    def read(self, name: str) -> ObservedTopic | None:
        try:
            with translated(f"read topic {name}"):
                return _observed(self._api.describe_topic(**self._cluster, TopicName=name))
        except NotFound:
            return None

    def list_names(self, prefix: str) -> tuple[str, ...]:
        with translated(f"list the topics {prefix}*"):
            pages = self._api.get_paginator("list_topics").paginate(**self._cluster, TopicNameFilter=prefix)
            names = [topic["TopicName"] for page in pages for topic in page["Topics"]]
        # The AWS documentation does not say whether the filter matches only the beginning of names.
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def create(self, topic: TopicSpec) -> bool:
        try:
            with translated(f"create topic {topic.name}"):
                self._api.create_topic(
                    **self._cluster,
                    TopicName=topic.name,
                    PartitionCount=topic.partitions,
                    ReplicationFactor=topic.replication_factor,
                    Configs=encode_configuration(topic.configuration),
                )
        except Conflict as error:
            if "TopicExists" in str(error):
                return False
            raise
        return True

    def update(self, name: str, configuration: Mapping[str, str], partitions: int | None) -> None:
        wanted: dict[str, Any] = {"PartitionCount": partitions} if partitions is not None else {}
        if configuration:
            wanted["Configs"] = encode_configuration(configuration)
        with translated(f"change topic {name}"):
            self._api.update_topic(**self._cluster, TopicName=name, **wanted)


def read_bootstrap_brokers(cluster_arn: str, region: str, keys: tuple[str, ...] = BOOTSTRAP) -> str:
    """HOST:PORT,HOST:PORT,... of the brokers: the first of the keys that the response contains.

    The deployment guide reads ClientSubnets[0] for this, which is the id of a subnet.
    """
    with translated(f"read the broker addresses of {cluster_arn}"):
        response = aws_client("kafka", region).get_bootstrap_brokers(ClusterArn=cluster_arn)
    found = next((response[key] for key in keys if response.get(key)), None)
    if found is None:
        raise NotFound(
            f"{cluster_arn} has no {' and no '.join(keys)}. Either the cluster is still being created, or its security "
            "settings do not offer this. Check both, then try again."
        )
    return found


def encode_configuration(configuration: Mapping[str, str]) -> str:
    """The format of the topic API: base64 of a JSON object of strings."""
    return base64.b64encode(json.dumps(dict(configuration), sort_keys=True).encode()).decode()


def decode_configuration(encoded: str) -> dict[str, str]:
    """The configuration in a response. AWS does not document whether it is JSON or `key=value` lines."""
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Rejected("The topic API returned a configuration that is not base64 text.") from error
    try:
        return {key: str(value) for key, value in json.loads(text).items()}
    except (ValueError, AttributeError):
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
        return {key.strip(): value.strip() for key, _, value in pairs}


def _observed(response: Mapping[str, Any]) -> ObservedTopic:
    return ObservedTopic(
        name=response["TopicName"],
        partitions=response["PartitionCount"],
        replication_factor=response["ReplicationFactor"],
        configuration=decode_configuration(response.get("Configs", "")),
        is_settled=response.get("Status", "ACTIVE") == "ACTIVE",
    )
