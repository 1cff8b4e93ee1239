"""Where a load balancer stands: the VPC of the cluster, and one subnet a zone."""

from typing import Any

from sandbox.kubernetes.api.kinds import Object
from sandbox.kubernetes.kubeconfig import CLUSTER
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations


class NoSubnets(Exception):
    """No two subnets in different zones could be found."""


def cluster_of(eks: Any) -> tuple[str, str | None]:
    """Name and VPC of the account's EKS cluster; before there is one, a name and no VPC."""
    names = eks.list_clusters()["clusters"]
    if not names:
        return CLUSTER, None
    cluster = eks.describe_cluster(name=names[0])["cluster"]
    return names[0], (cluster.get("resourcesVpcConfig") or {}).get("vpcId")


def choose_subnets(ec2: Any, annotations: Annotations, vpc: str | None) -> list[Object]:
    """The subnets of the annotation, or those tagged for load balancers, or the public ones: one a zone."""
    if named := annotations.items("subnets"):
        return ec2.describe_subnets(SubnetIds=named)["Subnets"]
    is_public = annotations.text("scheme", "internal") == "internet-facing"
    filters = [{"Name": "vpc-id", "Values": [vpc]}] if vpc else []
    found = ec2.describe_subnets(Filters=filters)["Subnets"]
    role = "kubernetes.io/role/elb" if is_public else "kubernetes.io/role/internal-elb"
    tagged = [subnet for subnet in found if any(tag["Key"] == role for tag in subnet.get("Tags", []))]
    reachable = [subnet for subnet in found if subnet.get("MapPublicIpOnLaunch", False) is is_public]
    chosen = _one_a_zone(tagged or reachable)
    if len(chosen) < 2:
        raise NoSubnets(f"couldn't auto-discover subnets: {len(chosen)} zones have one with the tag {role}")
    return chosen


def _one_a_zone(subnets: list[Object]) -> list[Object]:
    by_zone: dict[str, Object] = {}
    first = subnets[0]["VpcId"] if subnets else ""
    for subnet in sorted(subnets, key=lambda subnet: subnet["SubnetId"]):
        if subnet["VpcId"] == first:
            by_zone.setdefault(subnet["AvailabilityZone"], subnet)
    return list(by_zone.values())
