"""The names that leave a stack: its outputs, and the parameters that later stacks read."""

from collections.abc import Mapping

VPC_ID = "VpcId"
DATABASE_SECRET_ARN = "DatabaseSecretArn"
MSK_CLUSTER_ARN = "MSKClusterArn"
DATABASE_ENDPOINT = "DatabaseEndpoint"
DATABASE_PORT = "DatabasePort"
DATABASE_NAME = "DatabaseName"
CACHE_ENDPOINT = "CacheEndpoint"
CACHE_PORT = "CachePort"
EKS_CLUSTER_NAME = "EKSClusterName"
APP_ROLE_ARN = "AppRoleArn"
ALERTS_TOPIC_ARN = "AlertsTopicArn"
DASHBOARD_NAME = "DashboardName"

OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "NetworkStack": (VPC_ID,),
    "SecurityStack": (DATABASE_SECRET_ARN,),
    "MSKStack": (MSK_CLUSTER_ARN,),
    "RDSStack": (DATABASE_ENDPOINT, DATABASE_PORT, DATABASE_NAME, CACHE_ENDPOINT, CACHE_PORT),
    "EKSStack": (EKS_CLUSTER_NAME, APP_ROLE_ARN),
    "ObservabilityStack": (ALERTS_TOPIC_ARN, DASHBOARD_NAME),
}

DATA_KEY_ARN = "DataKeyArn"
BROKER_KEY_ARN = "BrokerKeyArn"
CLUSTER_KEY_ARN = "ClusterKeyArn"
ALERTS_KEY_ARN = "AlertsKeyArn"
WORKLOAD_GROUP_ID = "WorkloadSecurityGroupId"
BROKER_GROUP_ID = "BrokerSecurityGroupId"
DATABASE_GROUP_ID = "DatabaseSecurityGroupId"
CACHE_GROUP_ID = "CacheSecurityGroupId"
MSK_CLUSTER_NAME = "MSKClusterName"
DATABASE_ID = "DatabaseId"
CACHE_ID = "CacheId"


def subnet_id(kind: str, zone: int) -> str:
    """The parameter with a subnet's id; kind is Private or Isolated, zone counts from 1."""
    return f"{kind}Subnet{zone}Id"
