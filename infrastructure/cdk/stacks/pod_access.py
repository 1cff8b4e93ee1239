"""What the application's pods may do in AWS."""

from aws_cdk import aws_iam as iam

from stacks.base import BaseStack, acknowledge

CLUSTER_ACTIONS = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"]
TOPIC_ACTIONS = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:WriteData"]
GROUP_ACTIONS = ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"]
TRACE_ACTIONS = [
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
]


def allow_kafka(role: iam.Role, stack: BaseStack, cluster_name: str) -> None:
    """Let the role read and write the project's topics of this environment; not create or alter any.

    The ARNs are written by name and not read from MSKStack, so that both stacks can be deployed side by side.
    """
    topics = f"{cluster_name}/*/{stack.parameters.project}.{stack.parameters.environment}.*"
    groups = f"{cluster_name}/*/{stack.parameters.project}*"
    allow_on(role, stack, "cluster", f"{cluster_name}/*", CLUSTER_ACTIONS)
    allow_on(role, stack, "topic", topics, TOPIC_ACTIONS)
    allow_on(role, stack, "group", groups, GROUP_ACTIONS)


def allow_on(role: iam.Role, stack: BaseStack, kind: str, name: str, actions: list[str]) -> None:
    """Let the role do something to the cluster, topics or groups whose name fits."""
    resource = stack.format_arn(service="kafka", resource=kind, resource_name=name)
    role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
    acknowledge(
        role,
        "The star before the last part is the cluster's id, known when MSKStack exists; the names are the project's.",
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kafka:<AWS::Region>:<AWS::AccountId>:{kind}/{name}]",
    )


def allow_telemetry(role: iam.Role, namespace: str) -> None:
    """Let the role publish metrics to one namespace, and traces."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
        )
    )
    role.add_to_policy(iam.PolicyStatement(actions=TRACE_ACTIONS, resources=["*"]))
    acknowledge(role, "These services know no resources.", "AwsSolutions-IAM5[Resource::*]")
