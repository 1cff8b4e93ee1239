"""AWS::EKS::AccessEntry: who of IAM is let into the cluster, and as what."""

from sandbox.aws.types.resource import Deployed, Made, Properties, ResourceType, resource_type
from sandbox.aws.types.values import camel, picked, tag_map


@resource_type("AWS::EKS::AccessEntry")
class AccessEntry(ResourceType):
    def create(self, name: str, properties: Properties) -> Made:
        eks, cluster, principal = self.cloud.client("eks"), properties["ClusterName"], properties["PrincipalArn"]
        entry = eks.create_access_entry(
            **camel(picked(properties, "ClusterName", "PrincipalArn", "KubernetesGroups", "Username", "Type")),
            tags=tag_map(properties),
            clientRequestToken=name,
        )["accessEntry"]
        for policy in properties.get("AccessPolicies", []):
            scope = camel(policy["AccessScope"])
            eks.associate_access_policy(
                clusterName=cluster, principalArn=principal, policyArn=policy["PolicyArn"], accessScope=scope
            )
        return Made(f"{principal}|{cluster}", {"AccessEntryArn": entry["accessEntryArn"]})

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
        """The few things that can change are made anew with the entry."""
        self.delete(deployed)
        return self.create(deployed.physical_id, wanted)

    def delete(self, deployed: Deployed) -> None:
        cluster, principal = deployed.properties["ClusterName"], deployed.properties["PrincipalArn"]
        self.cloud.client("eks").delete_access_entry(clusterName=cluster, principalArn=principal)
