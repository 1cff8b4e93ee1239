"""AWS::MSK: the cluster and its configuration."""

import base64
from datetime import timedelta
from typing import Any

from moto.kafka.models import kafka_backends

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import camel, flag, tag_map
from sandbox.aws.http.serial import MOTO

# Properties with the same name in the API, except for upper and lower case.
SAME_IN_API = ("ClientAuthentication", "EncryptionInfo", "LoggingInfo", "OpenMonitoring")
PLAIN = ("EnhancedMonitoring", "KafkaVersion", "StorageMode")


@resource_type("AWS::MSK::Cluster", named_by="ClusterName", duration=timedelta(minutes=20))
class Cluster(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        wanted = {key: value for key, value in properties.items() if key not in ("ClusterName", "Tags")}
        wanted |= {
            "NumberOfBrokerNodes": int(properties["NumberOfBrokerNodes"]),
            "BrokerNodeGroupInfo": _node_group(properties["BrokerNodeGroupInfo"]),
        }
        if "ConfigurationInfo" in properties:
            wanted["ConfigurationInfo"] = _configuration(properties)
        answer = self.cloud.client("kafka").create_cluster(ClusterName=name, Tags=tag_map(properties), **_typed(wanted))
        arn = answer["ClusterArn"]
        return ReturnValues(arn, {"Arn": arn, "CurrentVersion": "1.0"})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        """moto has no call to update a cluster, so its record is changed."""
        with MOTO:
            cluster = self._cluster(deployed.physical_id)
            cluster.state = "UPDATING"
            cluster.number_of_broker_nodes = int(wanted["NumberOfBrokerNodes"])
            cluster.broker_node_group_info = camel(_node_group(wanted["BrokerNodeGroupInfo"]))
            cluster.configuration_info = camel(_configuration(wanted)) if "ConfigurationInfo" in wanted else None
            for key in SAME_IN_API:
                setattr(cluster, _snake(key), _typed(camel(wanted.get(key))))
            for key in PLAIN:
                if key in wanted:
                    setattr(cluster, _snake(key), wanted[key])
            cluster.current_version = f"{float(cluster.current_version) + 1}"
        return ReturnValues(deployed.physical_id, {**deployed.attributes, "CurrentVersion": cluster.current_version})

    def finish(self, deployed: Deployed) -> None:
        with MOTO:
            self._cluster(deployed.physical_id).state = "ACTIVE"

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("kafka").delete_cluster(ClusterArn=deployed.physical_id)

    def _cluster(self, arn: str) -> Any:
        return kafka_backends[self.cloud.account_id][self.cloud.region].clusters[arn]


@resource_type("AWS::MSK::Configuration", named_by="Name")
class Configuration(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        answer = self.cloud.client("kafka").create_configuration(
            Name=name,
            KafkaVersions=properties.get("KafkaVersionsList", []),
            Description=properties.get("Description", ""),
            ServerProperties=_server_properties(properties),
        )
        return self._return_values(answer["Arn"], answer["LatestRevision"])

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        answer = self.cloud.client("kafka").update_configuration(
            Arn=deployed.physical_id,
            Description=wanted.get("Description", ""),
            ServerProperties=_server_properties(wanted),
        )
        return self._return_values(deployed.physical_id, answer["LatestRevision"])

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("kafka").delete_configuration(Arn=deployed.physical_id)

    @staticmethod
    def _return_values(arn: str, latest: dict[str, Any]) -> ReturnValues:
        revision = {
            f"LatestRevision.{key}": str(latest.get(key, "")) for key in ("Revision", "Description", "CreationTime")
        }
        return ReturnValues(arn, {"Arn": arn, **revision})


def _server_properties(properties: Properties) -> bytes:
    """The text of the template, which may already be in base64."""
    text = properties["ServerProperties"]
    return text.encode() if "=" in text.rstrip("=") or "\n" in text else base64.b64decode(text)


def _configuration(properties: Properties) -> dict[str, Any]:
    info = properties["ConfigurationInfo"]
    return {"Arn": info["Arn"], "Revision": int(info["Revision"])}


def _node_group(info: Properties) -> Properties:
    """Rename EBSStorageInfo to EbsStorageInfo, the only name that differs in the API."""
    storage = dict(info.get("StorageInfo", {}))
    if "EBSStorageInfo" in storage:
        disk = dict(storage.pop("EBSStorageInfo"))
        storage["EbsStorageInfo"] = {**disk, "VolumeSize": int(disk["VolumeSize"])}
    return {**info, "StorageInfo": storage} if storage else info


def _typed(value: Any) -> Any:
    """Convert booleans that the template has as text."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return flag(value)
    return value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
