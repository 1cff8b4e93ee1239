"""SecurityStack: keys, security groups, the trail and the database's credentials."""

import json

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks import outputs
from stacks.base import KEEP, ZONES, BaseStack, acknowledge
from stacks.parameters import Parameters

# Kafka over TLS with IAM, PostgreSQL, Redis: all that a workload may reach of the data systems.
DATA_PORTS = {
    outputs.BROKER_GROUP_ID: ("brokers", 9098),
    outputs.DATABASE_GROUP_ID: ("database", 5432),
    outputs.CACHE_GROUP_ID: ("cache", 6379),
}
TRAIL_KEPT = cdk.Duration.days(7 * 365)


class SecurityStack(BaseStack):
    """Everything that says who may do what; the data systems and the cluster build on it side by side."""

    def __init__(self, scope: Construct, stack_id: str, parameters: Parameters) -> None:
        super().__init__(scope, stack_id, parameters, suffix="security", description="Keys, groups, trail, credentials")
        self.create_groups()
        data_key = self.create_key("data", outputs.DATA_KEY_ARN)
        self.create_key("brokers", outputs.BROKER_KEY_ARN)
        self.create_key("cluster", outputs.CLUSTER_KEY_ARN)
        self.create_alerts_key()
        self.create_trail()
        self.create_credentials(data_key)

    def create_key(self, name: str, output: str | None = None) -> kms.Key:
        """A customer key that is rotated every year, handed on under the output's name."""
        key = kms.Key(
            self,
            f"{name.title()}Key",
            alias=f"alias/{self.prefix}-{name}",
            description=f"{self.prefix} {name}",
            enable_key_rotation=True,
            removal_policy=KEEP,
        )
        if output:
            self.publish(output, key.key_arn)
        return key

    def create_alerts_key(self) -> None:
        """The key of the alerts topic; CloudWatch must be able to publish to an encrypted topic."""
        key = self.create_key("alerts", outputs.ALERTS_KEY_ARN)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )

    def create_groups(self) -> None:
        """The group that nodes and their pods carry, and one per data system that admits this group alone."""
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=self.read(outputs.VPC_ID),
            availability_zones=[cdk.Fn.select(zone - 1, cdk.Fn.get_azs()) for zone in ZONES],
        )
        workload = self.create_group("workload", outputs.WORKLOAD_GROUP_ID, vpc, allow_all_outbound=True)
        for output, (name, port) in DATA_PORTS.items():
            group = self.create_group(name, output, vpc, allow_all_outbound=False)
            group.add_ingress_rule(workload, ec2.Port.tcp(port), "from the workload")

    def create_group(self, name: str, output: str, vpc: ec2.IVpc, *, allow_all_outbound: bool) -> ec2.SecurityGroup:
        """A security group, handed on under the output's name."""
        group = ec2.SecurityGroup(
            self,
            f"{name.title()}Group",
            vpc=vpc,
            description=f"{self.prefix} {name}",
            allow_all_outbound=allow_all_outbound,
        )
        self.publish(output, group.security_group_id)
        return group

    def create_trail(self) -> None:
        """Record every management call of the account in a bucket without public access."""
        name = f"{self.prefix}-trail"
        bucket = s3.Bucket(
            self,
            "TrailBucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            versioned=True,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=TRAIL_KEPT, noncurrent_version_expiration=TRAIL_KEPT)],
            removal_policy=KEEP,
        )
        acknowledge(bucket, "It holds the audit log itself; the trail records who touches it.", "AwsSolutions-S1")
        cloudtrail.Trail(
            self,
            "Trail",
            trail_name=name,
            bucket=bucket,
            encryption_key=self.create_trail_key(name),
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
        )

    def create_trail_key(self, trail_name: str) -> kms.Key:
        """A key with which CloudTrail encrypts for this trail and no other."""
        key = self.create_key("trail")
        trail_arn = self.format_arn(service="cloudtrail", resource="trail", resource_name=trail_name)
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                actions=["kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
            )
        )
        return key

    def create_credentials(self, key: kms.Key) -> None:
        """The database's user name and a generated password, which no template ever contains."""
        secret = secretsmanager.Secret(
            self,
            "DatabaseSecret",
            secret_name=f"{self.prefix}/database",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": "genai_demo"}),
                generate_string_key="password",
                exclude_punctuation=True,
                password_length=32,
            ),
            removal_policy=KEEP,
        )
        acknowledge(
            secret,
            "Pods get the password with their revision; a rotation behind their back would lock them out.",
            "AwsSolutions-SMG4",
        )
        self.publish(outputs.DATABASE_SECRET_ARN, secret.secret_arn)
