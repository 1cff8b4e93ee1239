"""MSKStack: three brokers that speak TLS and know their clients by IAM."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_msk as msk
from constructs import Construct

from stacks import outputs
from stacks.base import KEEP, ZONES, BaseStack
from stacks.parameters import Parameters

# The topic API needs 3.6 or newer; a cluster that starts with ZooKeeper can never be brought to KRaft.
KAFKA_VERSION = "3.9.x.kraft"
# The guide makes one such configuration per topic and attaches none; retention and compression are the topics' own.
SERVER_PROPERTIES = """\
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
"""


class MSKStack(BaseStack):
    """The cluster, its configuration and the brokers' log."""

    def __init__(self, scope: Construct, stack_id: str, parameters: Parameters) -> None:
        super().__init__(scope, stack_id, parameters, suffix="msk", description="MSK cluster and its configuration")
        self.cluster_name = f"{self.prefix}-msk"
        cluster = msk.CfnCluster(
            self,
            "Cluster",
            cluster_name=self.cluster_name,
            kafka_version=KAFKA_VERSION,
            number_of_broker_nodes=len(ZONES),
            broker_node_group_info=self.describe_brokers(),
            configuration_info=self.configure(),
            encryption_info=self.describe_encryption(),
            client_authentication={"sasl": {"iam": {"enabled": True}}, "unauthenticated": {"enabled": False}},
            enhanced_monitoring="PER_TOPIC_PER_BROKER",
            logging_info=self.log_brokers(),
        )
        cluster.apply_removal_policy(KEEP)
        self.publish(outputs.MSK_CLUSTER_ARN, cluster.ref)
        self.publish(outputs.MSK_CLUSTER_NAME, self.cluster_name)

    def describe_brokers(self) -> msk.CfnCluster.BrokerNodeGroupInfoProperty:
        """One broker per zone, with a terabyte between them."""
        storage = msk.CfnCluster.EBSStorageInfoProperty(volume_size=350)
        return msk.CfnCluster.BrokerNodeGroupInfoProperty(
            instance_type="kafka.m7g.large",
            client_subnets=[self.read(outputs.subnet_id("Private", zone)) for zone in ZONES],
            security_groups=[self.read(outputs.BROKER_GROUP_ID)],
            storage_info=msk.CfnCluster.StorageInfoProperty(ebs_storage_info=storage),
        )

    def configure(self) -> msk.CfnCluster.ConfigurationInfoProperty:
        """The brokers' configuration, always at its latest revision."""
        configuration = msk.CfnConfiguration(
            self,
            "Configuration",
            # Dots, as in the guide's names, are not allowed in a configuration's name.
            name=f"{self.cluster_name}-configuration",
            kafka_versions_list=[KAFKA_VERSION],
            server_properties=SERVER_PROPERTIES,
        )
        return msk.CfnCluster.ConfigurationInfoProperty(
            arn=configuration.attr_arn,
            revision=cdk.Token.as_number(configuration.get_att("LatestRevision.Revision")),
        )

    def describe_encryption(self) -> msk.CfnCluster.EncryptionInfoProperty:
        """Our own key at rest, TLS only on the wire."""
        return msk.CfnCluster.EncryptionInfoProperty(
            encryption_at_rest=msk.CfnCluster.EncryptionAtRestProperty(
                data_volume_kms_key_id=self.read(outputs.BROKER_KEY_ARN)
            ),
            encryption_in_transit=msk.CfnCluster.EncryptionInTransitProperty(client_broker="TLS", in_cluster=True),
        )

    def log_brokers(self) -> msk.CfnCluster.LoggingInfoProperty:
        """Send the brokers' logs to a log group of the environment."""
        group = logs.LogGroup(
            self,
            "BrokerLogs",
            log_group_name=self.parameters.path("brokers"),
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=KEEP,
        )
        return msk.CfnCluster.LoggingInfoProperty(
            broker_logs=msk.CfnCluster.BrokerLogsProperty(
                cloud_watch_logs=msk.CfnCluster.CloudWatchLogsProperty(enabled=True, log_group=group.log_group_name)
            )
        )
