"""The network of a load balancer: the VPC of the cluster, and one subnet per availability zone."""

from typing import Any

from sandbox.kubernetes.api.objects.kinds import Object
from sandbox.kubernetes.kubeconfig import CLUSTER
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations


class NoSubnets(Exception):
    """There are no two subnets in different availability zones."""


def cluster_of(eks: Any) -> tuple[str, str | None]:
    """Name and VPC of the account's EKS cluster. Before it exists: the default name and None."""
    names = eks.list_clusters()["clusters"]
    if not names:
        return CLUSTER, None
    cluster = eks.describe_cluster(name=names[0])["cluster"]
    return names[0], (cluster.get("resourcesVpcConfig") or {}).get("vpcId")


def choose_subnets(ec2: Any, annotations: Annotations, vpc: str | None) -> list[Object]:
    """The subnets of the annotation. Without it, one subnet per zone: those tagged for load balancers, or otherwise
    those that match the scheme.
    """
    if named := annotations.items("subnets"):
        return ec2.describe_subnets(SubnetIds=named)["Subnets"]
    is_public = annotations.text("scheme", "internal") == "internet-facing"
    filters = [{"Name": "vpc-id", "Values": [vpc]}] if vpc else []
    found = ec2.describe_subnets(Filters=filters)["Subnets"]
    role = "kubernetes.io/role/elb" if is_public else "kubernetes.io/role/internal-elb"
    tagged = [subnet for subnet in found if any(tag["Key"] == role for tag in subnet.get("Tags", []))]
    reachable = [subnet for subnet in found if subnet.get("MapPublicIpOnLaunch", False) is is_public]
    chosen = _one_per_zone(tagged or reachable)
    if len(chosen) < 2:
        raise NoSubnets(f"couldn't auto-discover subnets: {len(chosen)} zones have one with the tag {role}")
    return chosen


def _one_per_zone(subnets: list[Object]) -> list[Object]:
    by_zone: dict[str, Object] = {}
    first = subnets[0]["VpcId"] if subnets else ""
    for subnet in sorted(subnets, key=lambda subnet: subnet["SubnetId"]):
        if subnet["VpcId"] == first:
            by_zone.setdefault(subnet["AvailabilityZone"], subnet)
    return list(by_zone.values())
