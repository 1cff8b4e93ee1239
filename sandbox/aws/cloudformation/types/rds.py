"""AWS::RDS: the database instance, its subnet group and its parameter group."""

from datetime import timedelta
from typing import Any

from moto.rds.models import DBInstance as MotoInstance
from moto.rds.models import rds_backends

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import flags, numbers, picked, tag_list
from sandbox.aws.http.serial import MOTO
from sandbox.aws.services.databases import create_database, drop_database

TEXTS = (
    "DBInstanceClass",
    "Engine",
    "EngineVersion",
    "StorageType",
    "KmsKeyId",
    "DBSubnetGroupName",
    "DBParameterGroupName",
    "DBName",
    "MasterUsername",
    "MasterUserPassword",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "AvailabilityZone",
    "EnableCloudwatchLogsExports",
    "PerformanceInsightsKMSKeyId",
    "CACertificateIdentifier",
    "MonitoringRoleArn",
)
NUMBERS = (
    "AllocatedStorage",
    "MaxAllocatedStorage",
    "BackupRetentionPeriod",
    "Iops",
    "StorageThroughput",
    "MonitoringInterval",
    "PerformanceInsightsRetentionPeriod",
)
FLAGS = (
    "MultiAZ",
    "StorageEncrypted",
    "PubliclyAccessible",
    "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot",
    "DeletionProtection",
    "EnablePerformanceInsights",
    "EnableIAMDatabaseAuthentication",
)
FIXED = ("Engine", "DBName", "MasterUsername", "KmsKeyId", "StorageEncrypted", "AvailabilityZone", "DBSubnetGroupName")


@resource_type("AWS::RDS::DBInstance", named_by="DBInstanceIdentifier", duration=timedelta(minutes=12))
class DBInstance(ResourceType):
    """Its endpoint is the TLS address of PostgreSQL in the sandbox, which gets the role and the database."""

    def create(self, name: str, properties: Properties) -> ReturnValues:
        identifier = name.lower()
        self.cloud.client("rds").create_db_instance(
            DBInstanceIdentifier=identifier, Tags=tag_list(properties), **_wanted(properties)
        )
        host, _, port = self.cloud.addresses.postgres_tls.rpartition(":")
        with MOTO:
            instance = self._instance(identifier)
            # moto computes the address from the identifier. A subclass overrides it for this instance.
            instance.__class__ = type("DBInstance", (MotoInstance,), {"address": host})
            instance.port, instance.status = int(port), "creating"
            arn, resource_id = instance.arn, instance.dbi_resource_id
        return ReturnValues(
            identifier,
            {"Endpoint.Address": host, "Endpoint.Port": port, "DBInstanceArn": arn, "DbiResourceId": resource_id},
        )

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        values = {key: value for key, value in _wanted(wanted).items() if key not in FIXED}
        exports = values.pop("EnableCloudwatchLogsExports", None)
        identifier = deployed.physical_id
        self.cloud.client("rds").modify_db_instance(
            DBInstanceIdentifier=identifier, ApplyImmediately=True, AllowMajorVersionUpgrade=True, **values
        )
        with MOTO:
            instance = self._instance(identifier)
            instance.enabled_cloudwatch_logs_exports = exports or []
            instance.status = "modifying"
        return None

    def finish(self, deployed: Deployed) -> None:
        properties = deployed.properties
        user, password = properties.get("MasterUsername"), properties.get("MasterUserPassword")
        if user and password:
            database = properties.get("DBName", "postgres")
            create_database(self.cloud.addresses.postgres, user, password, database)
        with MOTO:
            self._instance(deployed.physical_id).status = "available"

    def delete(self, deployed: Deployed) -> None:
        rds = self.cloud.client("rds")
        rds.delete_db_instance(DBInstanceIdentifier=deployed.physical_id, SkipFinalSnapshot=True)
        properties = deployed.properties
        if "MasterUsername" in properties and "DBName" in properties:
            drop_database(self.cloud.addresses.postgres, properties["MasterUsername"], properties["DBName"])

    def _instance(self, identifier: str) -> Any:
        return rds_backends[self.cloud.account_id][self.cloud.region].databases[identifier]


def _wanted(properties: Properties) -> dict[str, Any]:
    wanted = {**picked(properties, *TEXTS), **numbers(properties, *NUMBERS), **flags(properties, *FLAGS)}
    groups = properties.get("VPCSecurityGroups")
    return {**wanted, "VpcSecurityGroupIds": groups} if groups else wanted


@resource_type("AWS::RDS::DBSubnetGroup", named_by="DBSubnetGroupName")
class DBSubnetGroup(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        self.cloud.client("rds").create_db_subnet_group(
            DBSubnetGroupName=name.lower(), Tags=tag_list(properties), **_subnets(properties)
        )
        return ReturnValues(name.lower())

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self.cloud.client("rds").modify_db_subnet_group(DBSubnetGroupName=deployed.physical_id, **_subnets(wanted))
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("rds").delete_db_subnet_group(DBSubnetGroupName=deployed.physical_id)


def _subnets(properties: Properties) -> dict[str, Any]:
    return picked(properties, "DBSubnetGroupDescription", "SubnetIds")


@resource_type("AWS::RDS::DBParameterGroup", named_by="DBParameterGroupName")
class DBParameterGroup(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        self.cloud.client("rds").create_db_parameter_group(
            DBParameterGroupName=name.lower(),
            DBParameterGroupFamily=properties["Family"],
            Description=properties["Description"],
            Tags=tag_list(properties),
        )
        self._set(name.lower(), properties)
        return ReturnValues(name.lower(), {"DBParameterGroupName": name.lower()})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        removed = set(deployed.properties.get("Parameters", {})) - set(wanted.get("Parameters", {}))
        with MOTO:
            group = rds_backends[self.cloud.account_id][self.cloud.region].db_parameter_groups[deployed.physical_id]
            for name in removed:
                group.parameters.pop(name, None)
        self._set(deployed.physical_id, wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("rds").delete_db_parameter_group(DBParameterGroupName=deployed.physical_id)

    def _set(self, name: str, properties: Properties) -> None:
        parameters = [
            {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for key, value in properties.get("Parameters", {}).items()
        ]
        if parameters:
            self.cloud.client("rds").modify_db_parameter_group(DBParameterGroupName=name, Parameters=parameters)
