"""AWS::EKS: the cluster, node groups, add-ons and pod identity associations."""

from datetime import timedelta
from typing import Any

from moto.eks.models import eks_backends

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import camel, flag, numbers, picked, tag_map
from sandbox.aws.http.serial import MOTO


class EksType(ResourceType):
    def moto_cluster(self, name: str) -> Any:
        return eks_backends[self.cloud.account_id][self.cloud.region].clusters[name]


@resource_type("AWS::EKS::Cluster", named_by="Name", duration=timedelta(minutes=10))
class Cluster(EksType):
    """Its endpoint is the Kubernetes API server of the sandbox, with the certificate authority of the sandbox."""

    def create(self, name: str, properties: Properties) -> ReturnValues:
        wanted = picked(properties, "Version", "EncryptionConfig", "KubernetesNetworkConfig")
        self.cloud.client("eks").create_cluster(
            name=name,
            roleArn=properties["RoleArn"],
            resourcesVpcConfig=_network(properties),
            logging=_logging(properties),
            tags=tag_map(properties),
            **camel(wanted),
        )
        with MOTO:
            cluster = self.moto_cluster(name)
            cluster.status = "CREATING"
            cluster.endpoint = self.cloud.addresses.kubernetes
            cluster.certificate_authority = {"data": self.cloud.certificate_authority()}
            cluster.access_config = camel(properties.get("AccessConfig", {}))
            group = cluster.resources_vpc_config.setdefault("clusterSecurityGroupId", _group_id(name))
            return ReturnValues(name, _attributes(cluster, group))

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        with MOTO:
            cluster = self.moto_cluster(deployed.physical_id)
            cluster.status = "UPDATING"
            group = cluster.resources_vpc_config["clusterSecurityGroupId"]
            cluster.resources_vpc_config = {**_network(wanted), "clusterSecurityGroupId": group}
            cluster.logging, cluster.tags = _logging(wanted), tag_map(wanted)
            cluster.version = wanted.get("Version", cluster.version)
            cluster.access_config = camel(wanted.get("AccessConfig", {}))
        return None

    def finish(self, deployed: Deployed) -> None:
        with MOTO:
            self.moto_cluster(deployed.physical_id).status = "ACTIVE"

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("eks").delete_cluster(name=deployed.physical_id)


def _group_id(name: str) -> str:
    """The ID of the security group that EKS creates for a cluster. moto has no such group, so only the ID exists."""
    return "sg-" + name.encode().hex()[:17].ljust(17, "0")


def _attributes(cluster: Any, group: str) -> dict[str, Any]:
    return {
        "Arn": cluster.arn,
        "Id": cluster.name,
        "Endpoint": cluster.endpoint,
        "CertificateAuthorityData": cluster.certificate_authority["data"],
        "OpenIdConnectIssuerUrl": cluster.identity["oidc"]["issuer"],
        "ClusterSecurityGroupId": group,
    }


def _network(properties: Properties) -> dict[str, Any]:
    given = properties["ResourcesVpcConfig"]
    network = camel(picked(given, "SubnetIds", "SecurityGroupIds", "PublicAccessCidrs"))
    network["endpointPublicAccess"] = flag(given.get("EndpointPublicAccess", True))
    network["endpointPrivateAccess"] = flag(given.get("EndpointPrivateAccess", False))
    return network


def _logging(properties: Properties) -> dict[str, Any]:
    kinds = properties.get("Logging", {}).get("ClusterLogging", {}).get("EnabledTypes", [])
    return {"clusterLogging": [{"types": [kind["Type"] for kind in kinds], "enabled": True}] if kinds else []}


@resource_type("AWS::EKS::Nodegroup", named_by="NodegroupName", duration=timedelta(minutes=3))
class Nodegroup(EksType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        optional = picked(
            properties, "AmiType", "InstanceTypes", "Labels", "UpdateConfig", "LaunchTemplate", "CapacityType"
        )
        self.cloud.client("eks").create_nodegroup(
            clusterName=properties["ClusterName"],
            nodegroupName=name,
            nodeRole=properties["NodeRole"],
            subnets=properties["Subnets"],
            scalingConfig=_scaling(properties),
            tags=tag_map(properties),
            **_with_integers(camel(optional)),
        )
        with MOTO:
            group = self.moto_cluster(properties["ClusterName"]).nodegroups[name]
            group.status = "CREATING"
            attributes = {"Arn": group.arn, "NodegroupName": name, "ClusterName": properties["ClusterName"]}
        physical_id = f"{properties['ClusterName']}/{name}"
        return ReturnValues(physical_id, {**attributes, "Id": physical_id})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        with MOTO:
            group = self._group(deployed)
            group.status, group.scaling_config = "UPDATING", _scaling(wanted)
            group.instance_types = wanted.get("InstanceTypes", group.instance_types)
            group.labels, group.tags = wanted.get("Labels", {}), tag_map(wanted)
            if "LaunchTemplate" in wanted:
                group.launch_template = camel(wanted["LaunchTemplate"])
        return None

    def finish(self, deployed: Deployed) -> None:
        with MOTO:
            self._group(deployed).status = "ACTIVE"

    def delete(self, deployed: Deployed) -> None:
        cluster, _, name = deployed.physical_id.partition("/")
        self.cloud.client("eks").delete_nodegroup(clusterName=cluster, nodegroupName=name)

    def _group(self, deployed: Deployed) -> Any:
        cluster, _, name = deployed.physical_id.partition("/")
        return self.moto_cluster(cluster).nodegroups[name]


def _scaling(properties: Properties) -> dict[str, int]:
    return camel(numbers(properties.get("ScalingConfig", {}), "MinSize", "DesiredSize", "MaxSize"))


def _with_integers(wanted: dict[str, Any]) -> dict[str, Any]:
    if "updateConfig" in wanted:
        wanted["updateConfig"] = {key: int(value) for key, value in wanted["updateConfig"].items()}
    return wanted


@resource_type("AWS::EKS::Addon", duration=timedelta(minutes=1))
class Addon(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:  # noqa: ARG002 - AddonName is its name
        cluster, addon = properties["ClusterName"], properties["AddonName"]
        answer = self.cloud.client("eks").create_addon(
            clusterName=cluster, addonName=addon, tags=tag_map(properties), **_addon(properties)
        )
        return ReturnValues(f"{cluster}|{addon}", {"Arn": answer["addon"]["addonArn"]})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        cluster, _, addon = deployed.physical_id.partition("|")
        self.cloud.client("eks").update_addon(clusterName=cluster, addonName=addon, **_addon(wanted))
        return None

    def delete(self, deployed: Deployed) -> None:
        cluster, _, addon = deployed.physical_id.partition("|")
        self.cloud.client("eks").delete_addon(clusterName=cluster, addonName=addon)


def _addon(properties: Properties) -> dict[str, Any]:
    return camel(picked(properties, "AddonVersion", "ServiceAccountRoleArn", "ConfigurationValues", "ResolveConflicts"))


@resource_type("AWS::EKS::PodIdentityAssociation")
class PodIdentityAssociation(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        answer = self.cloud.client("eks").create_pod_identity_association(
            **camel(picked(properties, "ClusterName", "Namespace", "ServiceAccount", "RoleArn")),
            tags=tag_map(properties),
            clientRequestToken=name,
        )["association"]
        attributes = {"AssociationArn": answer["associationArn"], "AssociationId": answer["associationId"]}
        return ReturnValues(answer["associationArn"], attributes)

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self.cloud.client("eks").update_pod_identity_association(**_identity(deployed), roleArn=wanted["RoleArn"])
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("eks").delete_pod_identity_association(**_identity(deployed))


def _identity(deployed: Deployed) -> dict[str, str]:
    return {
        "clusterName": deployed.properties["ClusterName"],
        "associationId": deployed.attributes["AssociationId"],
    }
