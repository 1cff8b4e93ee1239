"""AWS::EKS::AccessEntry: the access of an IAM principal to the cluster."""

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import camel, picked, tag_map


@resource_type("AWS::EKS::AccessEntry")
class AccessEntry(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
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
        return ReturnValues(f"{principal}|{cluster}", {"AccessEntryArn": entry["accessEntryArn"]})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        """Recreate the entry with the new properties."""
        self.delete(deployed)
        return self.create(deployed.physical_id, wanted)

    def delete(self, deployed: Deployed) -> None:
        cluster, principal = deployed.properties["ClusterName"], deployed.properties["PrincipalArn"]
        self.cloud.client("eks").delete_access_entry(clusterName=cluster, principalArn=principal)
