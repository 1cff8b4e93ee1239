"""The MSK clusters that moto keeps, and where their brokers listen."""

from collections.abc import Callable
from typing import Any, cast

from moto.kafka.exceptions import NotFoundException
from moto.kafka.models import FakeKafkaCluster, KafkaBackend, kafka_backends

from sandbox.aws.cloud import Cloud
from sandbox.aws.rest import RestError, RestOperation, RestRequest, operation
from sandbox.aws.serial import MOTO


def mend_kafka() -> None:
    """Name clusters in their ARN, as AWS does, and answer for an unknown one instead of failing."""
    cast(Any, FakeKafkaCluster)._generate_arn = _cluster_arn
    for name in ("describe_cluster", "describe_cluster_v2", "delete_cluster"):
        setattr(KafkaBackend, name, _of_a_known_cluster(getattr(KafkaBackend, name)))


def _of_a_known_cluster(call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: KafkaBackend, cluster_arn: str, *rest: Any, **named: Any) -> Any:
        if cluster_arn not in self.clusters:
            raise NotFoundException(f"The cluster {cluster_arn} does not exist.")
        return call(self, cluster_arn, *rest, **named)

    return checked


def _cluster_arn(self: FakeKafkaCluster) -> str:
    return f"arn:aws:kafka:{self.region_name}:{self.account_id}:cluster/{self.cluster_name}/{self.cluster_id}-1"


class Clusters:
    """All clusters of an account stand on the sandbox's one set of brokers."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def cluster(self, arn: str) -> Any:
        """moto's cluster object, or NotFoundException."""
        with MOTO:
            found = kafka_backends[self._cloud.account_id][self._cloud.region].clusters.get(arn)
        if found is None:
            raise RestError(404, "NotFoundException", f"The cluster {arn} does not exist.")
        return found

    def active_cluster(self, arn: str) -> Any:
        """moto's cluster object; BadRequestException unless it is ACTIVE, as topics can be worked on only then."""
        found = self.cluster(arn)
        if found.state != "ACTIVE":
            raise RestError(400, "BadRequestException", f"The cluster is in state {found.state}, it has to be ACTIVE.")
        return found

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(self._cloud.addresses.kafka)

    @property
    def iam_servers(self) -> str:
        return ",".join(self._cloud.addresses.kafka_iam)

    def _bootstrap_brokers(self, request: RestRequest) -> dict[str, Any]:
        cluster = self.cluster(request.path["clusterArn"])
        in_transit = (cluster.encryption_info or {}).get("encryptionInTransit", {}).get("clientBroker", "TLS")
        authentication = (cluster.client_authentication or {}).get("sasl", {})
        # The sandbox's brokers have no listener for TLS alone, nor for SCRAM.
        offered = {
            "bootstrapBrokerString": in_transit != "TLS" and self.bootstrap_servers,
            "bootstrapBrokerStringSaslIam": authentication.get("iam", {}).get("enabled") and self.iam_servers,
        }
        return {name: servers for name, servers in offered.items() if servers}

    def operations(self) -> list[RestOperation]:
        path = "/v1/clusters/{clusterArn}/bootstrap-brokers"
        return [operation("kafka", "GET", path, self._bootstrap_brokers)]
