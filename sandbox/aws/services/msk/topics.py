"""The MSK topic API (CreateTopic, UpdateTopic, DescribeTopic and others), which acts on the brokers."""

import base64
import binascii
import json
import re
from typing import Any

from sandbox.aws.cloud import Cloud
from sandbox.aws.faults.ignoring import is_ignored
from sandbox.aws.http.rest import RestError, RestOperation, RestRequest, operation, page
from sandbox.aws.services.msk.brokers import Brokers, Partition, Topic
from sandbox.aws.services.msk.clusters import Clusters
from sandbox.aws.services.msk.lag import LAG_SECONDS, Lag, View

ALL = "/v1/clusters/{clusterArn}/topics"
ONE = f"{ALL}/{{topic}}"
NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
OLDEST_VERSION = (3, 6)


class Topics:
    """All clusters of an account share the same brokers, so they have the same topics."""

    def __init__(self, cloud: Cloud, clusters: Clusters, lag: Lag | None = None) -> None:
        self._cloud, self._clusters = cloud, clusters
        self._brokers = Brokers(clusters.bootstrap_servers)
        self._lag = lag or Lag(LAG_SECONDS / cloud.settings.time_factor)

    def operations(self) -> list[RestOperation]:
        return [
            operation("kafka", "GET", f"{ONE}/partitions", self._describe_partitions),
            operation("kafka", "GET", ONE, self._describe),
            operation("kafka", "PUT", ONE, self._update),
            operation("kafka", "DELETE", ONE, self._delete),
            operation("kafka", "GET", ALL, self._list),
            operation("kafka", "POST", ALL, self._create),
        ]

    def _create(self, request: RestRequest) -> dict[str, Any]:
        cluster, body = self._cluster(request), request.body
        name, configs = body["topicName"], read_configs(body.get("configs"))
        partitions, replicas = int(body["partitionCount"]), int(body["replicationFactor"])
        _check(NAME.fullmatch(name) is not None, f"The topic name {name} is not valid.")
        _check(partitions > 0 and replicas > 0, "partitionCount and replicationFactor must be positive.")
        if self._brokers.topic(name) is not None:
            raise RestError(409, "TopicExistsException", f"Topic '{name}' already exists.")
        if not is_ignored():
            self._brokers.create(name, partitions, replicas, configs)
            created = tuple(Partition(number, -1, (-1,) * replicas, (-1,) * replicas) for number in range(partitions))
            self._lag.record(name, "CREATING", None, Topic(name, created, configs))
        return self._receipt(cluster, name, "CREATING")

    def _update(self, request: RestRequest) -> dict[str, Any]:
        cluster, topic = self._cluster(request), self._existing(request)
        configs, partitions = read_configs(request.body.get("configs")), request.body.get("partitionCount")
        _check(bool(configs) or partitions is not None, "Give configs, partitionCount or both.")
        count = len(topic.partitions)
        _check(
            partitions is None or partitions >= count,
            f"Topic currently has {count} partitions, which is higher than the requested {partitions}.",
        )
        if not is_ignored():
            if partitions is not None and partitions > count:
                self._brokers.add_partitions(topic.name, partitions)
            if configs:
                self._brokers.set_configs(topic.name, configs)
            self._lag.record(topic.name, "UPDATING", topic, topic)
        return self._receipt(cluster, topic.name, "UPDATING")

    def _delete(self, request: RestRequest) -> dict[str, Any]:
        cluster, topic = self._cluster(request), self._existing(request)
        if not is_ignored():
            self._brokers.delete(topic.name)
            self._lag.record(topic.name, "DELETING", topic, None)
        return self._receipt(cluster, topic.name, "DELETING")

    def _describe(self, request: RestRequest) -> dict[str, Any]:
        cluster, view = self._cluster(request), self._view(request)
        return {
            "topicArn": self._arn(cluster, view.topic.name),
            "topicName": view.topic.name,
            "replicationFactor": view.topic.replication_factor,
            "partitionCount": len(view.topic.partitions),
            "configs": base64.b64encode(json.dumps(view.topic.configs).encode()).decode(),
            "status": view.status,
        }

    def _describe_partitions(self, request: RestRequest) -> dict[str, Any]:
        self._cluster(request)
        partitions = [
            {"partition": one.number, "leader": one.leader, "replicas": one.replicas, "isr": one.in_sync}
            for one in self._view(request).topic.partitions
        ]
        items, token = page(partitions, request)
        return {"partitions": items, **token}

    def _list(self, request: RestRequest) -> dict[str, Any]:
        cluster, actual = self._cluster(request), self._brokers.topics()
        names = sorted({*actual, *self._lag.names()})
        views = [self._lag.view(name, actual.get(name)) for name in names]
        wanted = request.query.get("topicNameFilter", "")
        topics = [view.topic for view in views if view is not None and view.topic.name.startswith(wanted)]
        items, token = page([self._summary(cluster, topic) for topic in topics], request)
        return {"topics": items, **token}

    def _summary(self, cluster: Any, topic: Topic) -> dict[str, Any]:
        return {
            "topicArn": self._arn(cluster, topic.name),
            "topicName": topic.name,
            "replicationFactor": topic.replication_factor,
            "partitionCount": len(topic.partitions),
            "outOfSyncReplicaCount": topic.out_of_sync_replicas,
        }

    def _cluster(self, request: RestRequest) -> Any:
        cluster = self._clusters.active_cluster(request.path["clusterArn"])
        version = tuple(int(part) for part in re.findall(r"\d+", cluster.kafka_version)[:2])
        _check(version >= OLDEST_VERSION, f"The topic API needs Kafka 3.6.0 or newer, not {cluster.kafka_version}.")
        return cluster

    def _existing(self, request: RestRequest) -> Topic:
        topic = self._brokers.topic(request.path["topic"])
        if topic is None:
            message = f"This server does not host the topic {request.path['topic']}."
            raise RestError(404, "UnknownTopicOrPartitionException", message)
        return topic

    def _view(self, request: RestRequest) -> View:
        name = request.path["topic"]
        view = self._lag.view(name, self._brokers.topic(name))
        if view is None:
            raise RestError(404, "NotFoundException", f"The topic {name} does not exist.")
        return view

    def _receipt(self, cluster: Any, name: str, status: str) -> dict[str, Any]:
        return {"topicArn": self._arn(cluster, name), "topicName": name, "status": status}

    def _arn(self, cluster: Any, name: str) -> str:
        return f"{cluster.arn.replace(':cluster/', ':topic/')}/{name}"


def read_configs(encoded: str | None) -> dict[str, str]:
    """Settings from a JSON object or `key=value` lines in base64. BadRequestException for anything else."""
    if not encoded:
        return {}
    try:
        text = base64.b64decode(encoded, validate=True).decode()
        if text.lstrip().startswith("{"):
            return {str(key): str(value) for key, value in json.loads(text).items()}
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        pairs = [line.split("=", 1) for line in lines]
        return {key.strip(): value.strip() for key, value in pairs}
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        message = "configs must be a JSON object or key=value lines in base64."
        raise RestError(400, "BadRequestException", message) from error


def _check(is_valid: bool, message: str) -> None:
    if not is_valid:
        raise RestError(400, "BadRequestException", message)
