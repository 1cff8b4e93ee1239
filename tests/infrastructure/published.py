"""The metrics that AWS publishes, from the documentation of each service: name -> dimensions.

Only those that an alarm or a widget uses. The metrics of the application are in the code of the application.
"""

from collections.abc import Mapping

PER_BROKER = frozenset({"Cluster Name", "Broker ID"})
PER_LOAD_BALANCER = frozenset({"LoadBalancer"})
PER_DATABASE = frozenset({"DBInstanceIdentifier"})
PER_CACHE_NODE = frozenset({"CacheClusterId"})

PUBLISHED: Mapping[str, Mapping[str, frozenset[str]]] = {
    # Amazon RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS".
    "AWS/RDS": dict.fromkeys(("CPUUtilization", "FreeStorageSpace", "FreeableMemory"), PER_DATABASE),
    # Amazon MSK Developer Guide, "Metrics for monitoring Standard brokers": per topic and broker is on.
    "AWS/Kafka": {
        "OfflinePartitionsCount": frozenset({"Cluster Name"}),
        "KafkaDataLogsDiskUsed": PER_BROKER,
        "UnderMinIsrPartitionCount": PER_BROKER,
        "BytesInPerSec": PER_BROKER,
        "BytesOutPerSec": PER_BROKER,
        "MessagesInPerSec": PER_BROKER,
    },
    # Amazon ElastiCache User Guide, "Metrics for Valkey and Redis OSS".
    "AWS/ElastiCache": dict.fromkeys(("DatabaseMemoryUsagePercentage", "EngineCPUUtilization"), PER_CACHE_NODE),
    # Amazon EKS User Guide, "Monitor cluster data with Amazon CloudWatch".
    "AWS/EKS": {"apiserver_request_total_5XX": frozenset({"ClusterName"})},
    # Elastic Load Balancing, "CloudWatch metrics for your Application Load Balancer".
    "AWS/ApplicationELB": dict.fromkeys(
        (
            "RequestCount",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_4XX_Count",
            "HTTPCode_Target_5XX_Count",
            "TargetResponseTime",
        ),
        PER_LOAD_BALANCER,
    ),
}
