"""EKSStack: the cluster, its nodes and what the application's pods may do."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks import outputs
from stacks.addon_access import allow_load_balancers, allow_weight_checks
from stacks.base import KEEP, ZONES, BaseStack, acknowledge
from stacks.parameters import Parameters
from stacks.pod_access import allow_kafka, allow_telemetry

KUBERNETES_VERSION = "1.35"
SERVICE_ACCOUNT = "genai-demo-service-account"
# Role -> namespace and service account, as the add-ons' own manifests name them.
ADDON_ACCOUNTS = {
    "LoadBalancerControllerRole": ("kube-system", "aws-load-balancer-controller"),
    "RolloutsRole": ("argo-rollouts", "argo-rollouts"),
    "MetricsAgentRole": ("amazon-cloudwatch", "cloudwatch-agent"),
}
LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")


class EKSStack(BaseStack):
    """A cluster whose API answers the listed networks, and privately the VPC."""

    def __init__(self, scope: Construct, stack_id: str, parameters: Parameters) -> None:
        super().__init__(scope, stack_id, parameters, suffix="eks", description="EKS cluster, nodes and pod access")
        self.subnets = [self.read(outputs.subnet_id("Private", zone)) for zone in ZONES]
        self.pod_roles: dict[str, iam.Role] = {}
        cluster = self.create_cluster()
        self.admit_worker(cluster)
        self.create_nodes(cluster)
        role = self.create_pod_role("AppRole")
        allow_kafka(role, self, f"{self.prefix}-msk")
        allow_telemetry(role, self.parameters.metric_namespace)
        self.create_addon_roles()
        self.bind_roles(cluster)
        self.publish(outputs.EKS_CLUSTER_NAME, cluster.ref)
        self.publish(outputs.APP_ROLE_ARN, role.role_arn)

    def create_cluster(self) -> eks.CfnCluster:
        """The control plane, its secrets encrypted with our own key."""
        cluster = eks.CfnCluster(
            self,
            "Cluster",
            name=self.prefix,
            version=KUBERNETES_VERSION,
            role_arn=self.create_role("ClusterRole", "eks.amazonaws.com", "AmazonEKSClusterPolicy").role_arn,
            resources_vpc_config=self.place_api(),
            encryption_config=[
                eks.CfnCluster.EncryptionConfigProperty(
                    provider=eks.CfnCluster.ProviderProperty(key_arn=self.read(outputs.CLUSTER_KEY_ARN)),
                    resources=["secrets"],
                )
            ],
            access_config=eks.CfnCluster.AccessConfigProperty(
                # CloudFormation's role is the creator, and has nothing to do in the cluster.
                authentication_mode="API",
                bootstrap_cluster_creator_admin_permissions=False,
            ),
            logging=self.enable_logs(),
        )
        acknowledge(cluster, "A release comes from outside the VPC; the listed networks only.", "AwsSolutions-EKS1")
        cluster.node.add_dependency(self.create_log_group())
        return cluster

    def place_api(self) -> eks.CfnCluster.ResourcesVpcConfigProperty:
        """Where the API answers: in the VPC, and to the listed networks."""
        return eks.CfnCluster.ResourcesVpcConfigProperty(
            subnet_ids=self.subnets,
            endpoint_private_access=True,
            endpoint_public_access=True,
            public_access_cidrs=list(self.parameters.kubernetes_api_cidrs),
        )

    def admit_worker(self, cluster: eks.CfnCluster) -> None:
        """Let the role that releases do everything in the cluster: it brings add-ons with their own roles."""
        name = "AmazonEKSClusterAdminPolicy"
        eks.CfnAccessEntry(
            self,
            "WorkerAccess",
            cluster_name=cluster.ref,
            principal_arn=self.format_arn(
                service="iam", region="", resource="role", resource_name=f"{self.prefix}-worker"
            ),
            access_policies=[
                eks.CfnAccessEntry.AccessPolicyProperty(
                    access_scope=eks.CfnAccessEntry.AccessScopeProperty(type="cluster"),
                    policy_arn=f"arn:{cdk.Aws.PARTITION}:eks::aws:cluster-access-policy/{name}",
                )
            ],
        )

    def enable_logs(self) -> eks.CfnCluster.LoggingProperty:
        """Every log that the control plane can write."""
        types = [eks.CfnCluster.LoggingTypeConfigProperty(type=name) for name in LOGS]
        return eks.CfnCluster.LoggingProperty(
            cluster_logging=eks.CfnCluster.ClusterLoggingProperty(enabled_types=types)
        )

    def create_log_group(self) -> logs.LogGroup:
        """The group EKS writes to; made before the cluster, else EKS makes it and keeps it for ever."""
        return logs.LogGroup(
            self,
            "ClusterLogs",
            log_group_name=f"/aws/eks/{self.prefix}/cluster",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=KEEP,
        )

    def create_role(self, role_id: str, service: str, *policies: str) -> iam.Role:
        """A role for an AWS service, with policies that AWS keeps."""
        role = iam.Role(
            self,
            role_id,
            assumed_by=iam.ServicePrincipal(service),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy) for policy in policies],
        )
        managed = [f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]" for policy in policies]
        acknowledge(role, "EKS names these policies, and AWS keeps them in step with it.", *managed)
        return role

    def create_nodes(self, cluster: eks.CfnCluster) -> None:
        """Three nodes, one per zone, up to nine."""
        template = self.create_node_template(cluster)
        eks.CfnNodegroup(
            self,
            "Nodes",
            cluster_name=cluster.ref,
            node_role=self.create_role("NodeRole", "ec2.amazonaws.com", *NODE_POLICIES).role_arn,
            subnets=self.subnets,
            ami_type="AL2023_x86_64_STANDARD",
            instance_types=["m7i.xlarge"],
            launch_template=eks.CfnNodegroup.LaunchTemplateSpecificationProperty(
                id=template.ref, version=template.attr_latest_version_number
            ),
            scaling_config=eks.CfnNodegroup.ScalingConfigProperty(min_size=3, desired_size=3, max_size=9),
            update_config=eks.CfnNodegroup.UpdateConfigProperty(max_unavailable=1),
        )

    def create_node_template(self, cluster: eks.CfnCluster) -> ec2.CfnLaunchTemplate:
        """Nodes in the workload's group; naming a group drops the cluster's own, so it is named as well."""
        volume = ec2.CfnLaunchTemplate.EbsProperty(volume_size=50, volume_type="gp3", encrypted=True)
        return ec2.CfnLaunchTemplate(
            self,
            "NodeTemplate",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                security_group_ids=[cluster.attr_cluster_security_group_id, self.read(outputs.WORKLOAD_GROUP_ID)],
                # One hop ends at the node: a pod has its own role and cannot take the node's.
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                    http_tokens="required", http_put_response_hop_limit=1
                ),
                block_device_mappings=[
                    ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(device_name="/dev/xvda", ebs=volume)
                ],
            ),
        )

    def create_pod_role(self, role_id: str, *policies: str) -> iam.Role:
        """A role that EKS hands to the pods of one service account."""
        pods = iam.ServicePrincipal("pods.eks.amazonaws.com").with_session_tags()
        managed = [iam.ManagedPolicy.from_aws_managed_policy_name(policy) for policy in policies]
        role = iam.Role(self, role_id, assumed_by=pods, managed_policies=managed)
        rules = [f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]" for policy in policies]
        acknowledge(role, "AWS keeps these policies in step with its agent.", *rules)
        self.pod_roles[role_id] = role
        return role

    def create_addon_roles(self) -> None:
        """What the load balancer controller, Argo Rollouts and the metrics agent do in AWS."""
        allow_load_balancers(self.create_pod_role("LoadBalancerControllerRole"))
        allow_weight_checks(self.create_pod_role("RolloutsRole"))
        self.create_pod_role("MetricsAgentRole", "CloudWatchAgentServerPolicy", "AWSXrayWriteOnlyAccess")

    def bind_roles(self, cluster: eks.CfnCluster) -> None:
        """Give each role to the pods of its service account, and to no others."""
        agent = eks.CfnAddon(self, "PodIdentityAgent", addon_name="eks-pod-identity-agent", cluster_name=cluster.ref)
        accounts = {"AppRole": (self.prefix, SERVICE_ACCOUNT), **ADDON_ACCOUNTS}
        for role_id, (namespace, service_account) in accounts.items():
            identity = eks.CfnPodIdentityAssociation(
                self,
                role_id.replace("Role", "Identity"),
                cluster_name=cluster.ref,
                namespace=namespace,
                service_account=service_account,
                role_arn=self.pod_roles[role_id].role_arn,
            )
            identity.node.add_dependency(agent)
