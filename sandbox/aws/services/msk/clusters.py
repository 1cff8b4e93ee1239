"""The MSK clusters in moto, and the addresses of their brokers."""

from collections.abc import Callable
from typing import Any, cast

from moto.kafka.exceptions import NotFoundException
from moto.kafka.models import FakeKafkaCluster, KafkaBackend, kafka_backends

from sandbox.aws.cloud import Cloud
from sandbox.aws.http.rest import RestError, RestOperation, RestRequest, operation
from sandbox.aws.http.serial import MOTO


def patch_kafka() -> None:
    """Use the name of a cluster in its ARN, as AWS does, and answer NotFoundException for an unknown cluster."""
    cast(Any, FakeKafkaCluster)._generate_arn = _cluster_arn
    for name in ("describe_cluster", "describe_cluster_v2", "delete_cluster"):
        setattr(KafkaBackend, name, _checking_the_cluster(getattr(KafkaBackend, name)))


def _checking_the_cluster(call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: KafkaBackend, cluster_arn: str, *rest: Any, **named: Any) -> Any:
        if cluster_arn not in self.clusters:
            raise NotFoundException(f"The cluster {cluster_arn} does not exist.")
        return call(self, cluster_arn, *rest, **named)

    return checked


def _cluster_arn(self: FakeKafkaCluster) -> str:
    return f"arn:aws:kafka:{self.region_name}:{self.account_id}:cluster/{self.cluster_name}/{self.cluster_id}-1"


class Clusters:
    """All clusters of an account share the brokers of the sandbox."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def cluster(self, arn: str) -> Any:
        """The cluster object of moto. NotFoundException if it does not exist."""
        with MOTO:
            found = kafka_backends[self._cloud.account_id][self._cloud.region].clusters.get(arn)
        if found is None:
            raise RestError(404, "NotFoundException", f"The cluster {arn} does not exist.")
        return found

    def active_cluster(self, arn: str) -> Any:
        """The cluster object of moto. BadRequestException if it is not ACTIVE, because the topic API needs that."""
        found = self.cluster(arn)
        if found.state != "ACTIVE":
            raise RestError(400, "BadRequestException", f"The cluster is in state {found.state}, it must be ACTIVE.")
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
        # The brokers of the sandbox have no listener with only TLS, and none with SCRAM.
        offered = {
            "bootstrapBrokerString": in_transit != "TLS" and self.bootstrap_servers,
            "bootstrapBrokerStringSaslIam": authentication.get("iam", {}).get("enabled") and self.iam_servers,
        }
        return {name: servers for name, servers in offered.items() if servers}

    def operations(self) -> list[RestOperation]:
        path = "/v1/clusters/{clusterArn}/bootstrap-brokers"
        return [operation("kafka", "GET", path, self._bootstrap_brokers)]
