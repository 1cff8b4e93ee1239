"""NetworkStack: one VPC over three zones."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.base import KEEP, ZONES, BaseStack
from stacks.outputs import VPC_ID, subnet_id
from stacks.parameters import Parameters

SUBNETS = [
    ec2.SubnetConfiguration(
        name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
    ),
    ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
    ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
]


class NetworkStack(BaseStack):
    """Public subnets for load balancers, private ones for nodes and brokers, isolated ones for data."""

    def __init__(self, scope: Construct, stack_id: str, parameters: Parameters) -> None:
        super().__init__(scope, stack_id, parameters, suffix="network", description="VPC, subnets, NAT, flow logs")
        vpc = self.create_vpc()
        self.record_flows(vpc)
        self.tag_for_load_balancers(vpc)
        self.publish(VPC_ID, vpc.vpc_id)
        self.name_subnets("public", vpc.public_subnets)
        for kind, subnets in (("Private", vpc.private_subnets), ("Isolated", vpc.isolated_subnets)):
            self.name_subnets(kind.lower(), subnets)
            for zone, subnet in zip(ZONES, subnets, strict=True):
                self.publish(subnet_id(kind, zone), subnet.subnet_id)

    def create_vpc(self) -> ec2.Vpc:
        """A VPC whose zones are the first three of whatever region it is deployed to."""
        vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=self.prefix,
            ip_addresses=ec2.IpAddresses.cidr("10.20.0.0/16"),
            # Without account and region the library offers two zones; the indices name a third.
            availability_zones=[cdk.Fn.select(zone - 1, cdk.Fn.get_azs()) for zone in ZONES],
            nat_gateways=len(ZONES),
            # Emptying the default group takes a Lambda function; nothing here uses that group.
            restrict_default_security_group=False,
            subnet_configuration=SUBNETS,
        )
        vpc.add_gateway_endpoint("S3Endpoint", service=ec2.GatewayVpcEndpointAwsService.S3)
        return vpc

    def record_flows(self, vpc: ec2.Vpc) -> None:
        """Log all traffic, accepted and rejected."""
        group = logs.LogGroup(
            self,
            "FlowLogGroup",
            log_group_name=self.parameters.path("vpc-flow-logs"),
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=KEEP,
        )
        vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )

    def tag_for_load_balancers(self, vpc: ec2.Vpc) -> None:
        """Let the AWS Load Balancer Controller find its subnets."""
        for role, subnets in (("elb", vpc.public_subnets), ("internal-elb", vpc.private_subnets)):
            for subnet in subnets:
                cdk.Tags.of(subnet).add(f"kubernetes.io/role/{role}", "1", include_resource_types=["AWS::EC2::Subnet"])

    def name_subnets(self, kind: str, subnets: list[ec2.ISubnet]) -> None:
        """Name each subnet, and what belongs to it, after the environment and its zone."""
        for zone, subnet in zip(ZONES, subnets, strict=True):
            cdk.Tags.of(subnet).add("Name", f"{self.prefix}-{kind}-{zone}")
