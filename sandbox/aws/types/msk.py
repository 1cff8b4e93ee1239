"""AWS::MSK: the broker cluster and its configuration."""

import base64
from datetime import timedelta
from typing import Any

from moto.kafka.models import kafka_backends

from sandbox.aws.serial import MOTO
from sandbox.aws.types.resource import Deployed, Made, Properties, ResourceType, resource_type
from sandbox.aws.types.values import camel, flag, tag_map

# What the API calls like the template, apart from upper and lower case.
SAME_IN_API = ("ClientAuthentication", "EncryptionInfo", "LoggingInfo", "OpenMonitoring")
PLAIN = ("EnhancedMonitoring", "KafkaVersion", "StorageMode")


@resource_type("AWS::MSK::Cluster", named_by="ClusterName", duration=timedelta(minutes=20))
class Cluster(ResourceType):
    def create(self, name: str, properties: Properties) -> Made:
        wanted = {key: value for key, value in properties.items() if key not in ("ClusterName", "Tags")}
        wanted |= {
            "NumberOfBrokerNodes": int(properties["NumberOfBrokerNodes"]),
            "BrokerNodeGroupInfo": _node_group(properties["BrokerNodeGroupInfo"]),
        }
        if "ConfigurationInfo" in properties:
            wanted["ConfigurationInfo"] = _configuration(properties)
        answer = self.cloud.client("kafka").create_cluster(ClusterName=name, Tags=tag_map(properties), **_typed(wanted))
        arn = answer["ClusterArn"]
        return Made(arn, {"Arn": arn, "CurrentVersion": "1.0"})

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
        """moto has no call that changes a cluster, so its record is changed."""
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
        return Made(deployed.physical_id, {**deployed.attributes, "CurrentVersion": cluster.current_version})

    def settle(self, deployed: Deployed) -> None:
        with MOTO:
            self._cluster(deployed.physical_id).state = "ACTIVE"

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("kafka").delete_cluster(ClusterArn=deployed.physical_id)

    def _cluster(self, arn: str) -> Any:
        return kafka_backends[self.cloud.account_id][self.cloud.region].clusters[arn]


@resource_type("AWS::MSK::Configuration", named_by="Name")
class Configuration(ResourceType):
    def create(self, name: str, properties: Properties) -> Made:
        answer = self.cloud.client("kafka").create_configuration(
            Name=name,
            KafkaVersions=properties.get("KafkaVersionsList", []),
            Description=properties.get("Description", ""),
            ServerProperties=_server_properties(properties),
        )
        return self._made(answer["Arn"], answer["LatestRevision"])

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
        answer = self.cloud.client("kafka").update_configuration(
            Arn=deployed.physical_id,
            Description=wanted.get("Description", ""),
            ServerProperties=_server_properties(wanted),
        )
        return self._made(deployed.physical_id, answer["LatestRevision"])

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("kafka").delete_configuration(Arn=deployed.physical_id)

    @staticmethod
    def _made(arn: str, latest: dict[str, Any]) -> Made:
        revision = {
            f"LatestRevision.{key}": str(latest.get(key, "")) for key in ("Revision", "Description", "CreationTime")
        }
        return Made(arn, {"Arn": arn, **revision})


def _server_properties(properties: Properties) -> bytes:
    """The template's text, which may be base64 of it already."""
    text = properties["ServerProperties"]
    return text.encode() if "=" in text.rstrip("=") or "\n" in text else base64.b64decode(text)


def _configuration(properties: Properties) -> dict[str, Any]:
    info = properties["ConfigurationInfo"]
    return {"Arn": info["Arn"], "Revision": int(info["Revision"])}


def _node_group(info: Properties) -> Properties:
    """The one name that differs is EBSStorageInfo, which the API writes EbsStorageInfo."""
    storage = dict(info.get("StorageInfo", {}))
    if "EBSStorageInfo" in storage:
        disk = dict(storage.pop("EBSStorageInfo"))
        storage["EbsStorageInfo"] = {**disk, "VolumeSize": int(disk["VolumeSize"])}
    return {**info, "StorageInfo": storage} if storage else info


def _typed(value: Any) -> Any:
    """Booleans where the template wrote them as text."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return flag(value)
    return value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
