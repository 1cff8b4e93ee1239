"""AWS::ElastiCache: the replication group and its subnet group."""

from datetime import timedelta
from typing import Any

from moto.elasticache.models import elasticache_backends

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import flags, numbers, picked, tag_list
from sandbox.aws.http.serial import MOTO

TEXTS = (
    "ReplicationGroupDescription",
    "Engine",
    "EngineVersion",
    "CacheNodeType",
    "KmsKeyId",
    "CacheSubnetGroupName",
    "SecurityGroupIds",
    "CacheParameterGroupName",
    "AuthToken",
    "TransitEncryptionMode",
    "SnapshotWindow",
    "PreferredMaintenanceWindow",
)
NUMBERS = ("NumCacheClusters", "NumNodeGroups", "ReplicasPerNodeGroup", "Port", "SnapshotRetentionLimit")
FLAGS = (
    "AutomaticFailoverEnabled",
    "MultiAZEnabled",
    "AtRestEncryptionEnabled",
    "TransitEncryptionEnabled",
    "AutoMinorVersionUpgrade",
)
# moto's attributes for the properties that can be updated in place.
RECORDED = {
    "ReplicationGroupDescription": "description",
    "EngineVersion": "engine_version",
    "CacheNodeType": "cache_node_type",
    "SecurityGroupIds": "security_group_ids",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "TransitEncryptionMode": "transit_encryption_mode",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
}
SWITCHED = {"AutomaticFailoverEnabled": "automatic_failover", "MultiAZEnabled": "multi_az"}


class ElastiCacheType(ResourceType):
    def backend(self) -> Any:
        return elasticache_backends[self.cloud.account_id][self.cloud.region]


@resource_type("AWS::ElastiCache::SubnetGroup", named_by="CacheSubnetGroupName")
class SubnetGroup(ElastiCacheType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        self.cloud.client("elasticache").create_cache_subnet_group(
            CacheSubnetGroupName=name.lower(),
            CacheSubnetGroupDescription=properties["Description"],
            SubnetIds=properties["SubnetIds"],
            Tags=tag_list(properties),
        )
        return ReturnValues(name.lower())

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        """moto has no ModifyCacheSubnetGroup."""
        with MOTO:
            self.backend().cache_subnet_groups.pop(deployed.physical_id)
        return self.create(deployed.physical_id, wanted)

    def delete(self, deployed: Deployed) -> None:
        """moto has no DeleteCacheSubnetGroup."""
        with MOTO:
            self.backend().cache_subnet_groups.pop(deployed.physical_id, None)


@resource_type("AWS::ElastiCache::ReplicationGroup", named_by="ReplicationGroupId", duration=timedelta(minutes=10))
class ReplicationGroup(ElastiCacheType):
    """Its endpoints are the TLS address of the cache in the sandbox."""

    def create(self, name: str, properties: Properties) -> ReturnValues:
        wanted = {**picked(properties, *TEXTS), **numbers(properties, *NUMBERS), **flags(properties, *FLAGS)}
        # moto computes the members of a group only from its replicas.
        wanted.setdefault("ReplicasPerNodeGroup", wanted.get("NumCacheClusters", 1) - 1)
        cache = self.cloud.client("elasticache")
        cache.create_replication_group(ReplicationGroupId=name, Tags=tag_list(properties), **wanted)
        host, _, port = self.cloud.addresses.valkey_tls.rpartition(":")
        with MOTO:
            group = self.backend().replication_groups[name]
            group.status = "creating"
            _set_endpoint(group, host, int(port))
        names = ("PrimaryEndPoint", "ReaderEndPoint", "ConfigurationEndPoint")
        attributes = {f"{endpoint}.Address": host for endpoint in names} | {
            f"{endpoint}.Port": port for endpoint in names
        }
        return ReturnValues(name, attributes)

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        values = {**picked(wanted, *TEXTS), **numbers(wanted, *NUMBERS), **flags(wanted, *FLAGS)}
        with MOTO:
            group = self.backend().replication_groups[deployed.physical_id]
            group.status = "modifying"
            for name, attribute in RECORDED.items():
                if name in values:
                    setattr(group, attribute, values[name])
            for name, attribute in SWITCHED.items():
                if name in values:
                    setattr(group, attribute, "enabled" if values[name] else "disabled")
        return None

    def finish(self, deployed: Deployed) -> None:
        with MOTO:
            self.backend().replication_groups[deployed.physical_id].status = "available"

    def delete(self, deployed: Deployed) -> None:
        """With moto's DeleteReplicationGroup, the group would stay in "deleting"."""
        with MOTO:
            self.backend().replication_groups.pop(deployed.physical_id, None)


def _set_endpoint(group: Any, host: str, port: int) -> None:
    group.port = port
    if hasattr(group, "configuration_endpoint"):
        group.configuration_endpoint = {"address": host, "port": port}
    for node_group in group.node_groups:
        node_group.update(primary_endpoint_address=host, reader_endpoint_address=host, port=port)
        node_group["primary_endpoint"] = {"address": host, "port": port}
        if "reader_endpoint" in node_group:
            node_group["reader_endpoint"] = {"address": host, "port": port}
