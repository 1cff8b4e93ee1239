"""RDSStack: the PostgreSQL database and the Redis cache."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_rds as rds
from constructs import Construct

from stacks import outputs
from stacks.base import ZONES, BaseStack, acknowledge
from stacks.parameters import Parameters

POSTGRES_MAJOR_VERSION = "16"
BACKUP_DAYS = 14
CACHE_NODES = 2
DATABASE_STORAGE: dict[str, Any] = {
    "allocated_storage": "100",
    "max_allocated_storage": 500,
    "storage_type": "gp3",
    "storage_encrypted": True,
}
# A zone, an upgrade or a person may fail, and the data is still there.
DATABASE_SAFETY: dict[str, Any] = {
    "publicly_accessible": False,
    "multi_az": True,
    "backup_retention_period": BACKUP_DAYS,
    "copy_tags_to_snapshot": True,
    "deletion_protection": True,
    "auto_minor_version_upgrade": True,
}
DATABASE_INSIGHT: dict[str, Any] = {
    "enable_performance_insights": True,
    "enable_cloudwatch_logs_exports": ["postgresql", "upgrade"],
}
REDIS: dict[str, Any] = {"engine": "redis", "engine_version": "7.1", "port": 6379}
CACHE_SAFETY: dict[str, Any] = {
    "num_cache_clusters": CACHE_NODES,
    "automatic_failover_enabled": True,
    "multi_az_enabled": True,
    "at_rest_encryption_enabled": True,
    "transit_encryption_enabled": True,
    "transit_encryption_mode": "required",
    "snapshot_retention_limit": BACKUP_DAYS,
    "auto_minor_version_upgrade": True,
}


class RDSStack(BaseStack):
    """Both are encrypted with our own key, reachable over TLS only, and outlive the loss of a zone."""

    def __init__(self, scope: Construct, stack_id: str, parameters: Parameters) -> None:
        super().__init__(scope, stack_id, parameters, suffix="rds", description="PostgreSQL database and Redis cache")
        self.subnets = [self.read(outputs.subnet_id("Isolated", zone)) for zone in ZONES]
        self.key = self.read(outputs.DATA_KEY_ARN)
        cache = self.create_cache()
        # Last, since a creation that is rolled back cannot delete a database that is protected from deletion.
        name = self.prefix.replace("-", "_")
        database = self.create_database(name)
        database.add_resource_dependency(cache)
        self.publish_database(database, name)

    def create_database(self, name: str) -> rds.CfnDBInstance:
        """The database; its credentials stay in Secrets Manager."""
        username, password = self.refer_to_credentials()
        database = rds.CfnDBInstance(
            self,
            "Database",
            db_instance_identifier=f"{self.prefix}-db",
            db_name=name,
            engine="postgres",
            # A minor version here would fight the upgrades that auto_minor_version_upgrade makes.
            engine_version=POSTGRES_MAJOR_VERSION,
            db_instance_class="db.r6g.large",
            kms_key_id=self.key,
            master_username=username,
            master_user_password=password,
            db_parameter_group_name=self.require_tls().ref,
            db_subnet_group_name=self.create_database_subnets().ref,
            vpc_security_groups=[self.read(outputs.DATABASE_GROUP_ID)],
            performance_insights_kms_key_id=self.key,
            **(DATABASE_STORAGE | DATABASE_SAFETY | DATABASE_INSIGHT),
        )
        database.apply_removal_policy(cdk.RemovalPolicy.SNAPSHOT)
        acknowledge(database, "One group may reach the port; another number would hide nothing.", "AwsSolutions-RDS11")
        return database

    def publish_database(self, database: rds.CfnDBInstance, name: str) -> None:
        self.publish(outputs.DATABASE_ENDPOINT, database.attr_endpoint_address)
        self.publish(outputs.DATABASE_PORT, database.attr_endpoint_port)
        self.publish(outputs.DATABASE_NAME, name)
        self.publish(outputs.DATABASE_ID, database.ref)

    def refer_to_credentials(self) -> tuple[str, str]:
        """User name and password as references that CloudFormation resolves when it creates the database."""
        arn = self.read(outputs.DATABASE_SECRET_ARN)
        return tuple(
            cdk.SecretValue.secrets_manager(arn, json_field=field).unsafe_unwrap() for field in ("username", "password")
        )

    def require_tls(self) -> rds.CfnDBParameterGroup:
        """Parameters under which the database refuses a connection without TLS."""
        return rds.CfnDBParameterGroup(
            self,
            "DatabaseParameters",
            family=f"postgres{POSTGRES_MAJOR_VERSION}",
            description=f"{self.prefix} database",
            parameters={"rds.force_ssl": "1"},
        )

    def create_database_subnets(self) -> rds.CfnDBSubnetGroup:
        """The isolated subnets, which have no way to the internet."""
        return rds.CfnDBSubnetGroup(
            self,
            "DatabaseSubnets",
            db_subnet_group_description=f"{self.prefix} database",
            subnet_ids=self.subnets,
        )

    def create_cache(self) -> elasticache.CfnReplicationGroup:
        """A primary and a replica in two zones, published by the primary's address."""
        subnets = elasticache.CfnSubnetGroup(
            self, "CacheSubnets", description=f"{self.prefix} cache", subnet_ids=self.subnets
        )
        cache = elasticache.CfnReplicationGroup(
            self,
            "Cache",
            replication_group_id=f"{self.prefix}-redis",
            replication_group_description=f"{self.prefix} cache",
            cache_node_type="cache.r7g.large",
            kms_key_id=self.key,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[self.read(outputs.CACHE_GROUP_ID)],
            **REDIS,
            **CACHE_SAFETY,
        )
        cache.apply_removal_policy(cdk.RemovalPolicy.SNAPSHOT)
        acknowledge(cache, "One group may reach the port; another number would hide nothing.", "AwsSolutions-AEC5")
        acknowledge(cache, "The guide's application is given a host and no password.", "AwsSolutions-AEC6")
        self.publish(outputs.CACHE_ENDPOINT, cache.attr_primary_end_point_address)
        self.publish(outputs.CACHE_PORT, cache.attr_primary_end_point_port)
        self.publish(outputs.CACHE_ID, cache.ref)
        return cache
