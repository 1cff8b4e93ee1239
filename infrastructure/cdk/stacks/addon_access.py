"""What the cluster's add-ons may do in AWS: the load balancer controller and the metrics agent."""

from aws_cdk import aws_iam as iam

from stacks.base import acknowledge

# The mark that the controller puts on everything it makes; it may change nothing that lacks it.
OWNED = "elbv2.k8s.aws/cluster"
READS = [
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcPeeringConnections",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
    "elasticloadbalancing:DescribeCapacityReservation",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListenerCertificates",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    # Asked about every load balancer, whether or not one is protected by them.
    "shield:DescribeProtection",
    "shield:GetSubscriptionState",
    "waf-regional:GetWebACLForResource",
    "wafv2:GetWebACLForResource",
]
MAKES = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
# These services know no condition on a tag at the time something is made below a load balancer.
MAKES_BELOW = [
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:AddListenerCertificates",
    "elasticloadbalancing:RemoveListenerCertificates",
    "elasticloadbalancing:SetRulePriorities",
]
CHANGES_OWN = [
    "ec2:DeleteSecurityGroup",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:SetIpAddressType",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
]
CREATED = ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule"]
GROUP_RULES = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
ROLLOUT_READS = ["elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"]


def allow_load_balancers(role: iam.Role) -> None:
    """Let the role make load balancers for Ingress objects, and change those that it made."""
    allow(role, READS)
    allow(role, MAKES, {"Null": {f"aws:RequestTag/{OWNED}": "false"}})
    allow(role, MAKES_BELOW)
    allow(role, CHANGES_OWN, {"Null": {f"aws:ResourceTag/{OWNED}": "false"}})
    # The rules by which a load balancer reaches the pods are added to the nodes' group, which EKS made.
    allow(role, [*GROUP_RULES, "ec2:CreateSecurityGroup"])
    created = {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}
    allow(role, ["ec2:CreateTags"], created | {"Null": {f"aws:RequestTag/{OWNED}": "false"}})
    # A tag with a creation: the new load balancer or target group carries the mark in the same request.
    allow(role, ["elasticloadbalancing:AddTags"], {"StringEquals": {"elasticloadbalancing:CreateAction": CREATED}})
    linked = {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}}
    allow(role, ["iam:CreateServiceLinkedRole"], linked)
    acknowledge(
        role,
        "What it makes has no name beforehand; the conditions bind every change to the controller's own mark.",
        "AwsSolutions-IAM5[Resource::*]",
    )


def allow_weight_checks(role: iam.Role) -> None:
    """Let the role see which pods a load balancer reaches, before an old revision is scaled down."""
    allow(role, ROLLOUT_READS)
    acknowledge(role, "Describing load balancers knows no resources.", "AwsSolutions-IAM5[Resource::*]")


def allow(role: iam.Role, actions: list[str], conditions: dict[str, dict[str, object]] | None = None) -> None:
    """Allow the role these actions on every resource that meets the conditions."""
    role.add_to_policy(iam.PolicyStatement(actions=actions, resources=["*"], conditions=conditions))
