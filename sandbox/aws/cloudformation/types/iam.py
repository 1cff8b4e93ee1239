"""AWS::IAM: roles. The policies are moto's."""

import json

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import picked, tag_list


@resource_type("AWS::IAM::Role", named_by="RoleName")
class Role(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        role = self.cloud.client("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Tags=tag_list(properties),
            **picked(properties, "Description", "Path", "PermissionsBoundary"),
        )["Role"]
        self._attach(name, set(), set(properties.get("ManagedPolicyArns", [])))
        self._put_inline(name, {}, _inline(properties))
        return ReturnValues(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        iam, name, before = self.cloud.client("iam"), deployed.physical_id, deployed.properties
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(wanted["AssumeRolePolicyDocument"]))
        iam.update_role(RoleName=name, Description=wanted.get("Description", ""))
        self._attach(name, set(before.get("ManagedPolicyArns", [])), set(wanted.get("ManagedPolicyArns", [])))
        self._put_inline(name, _inline(before), _inline(wanted))
        return None

    def delete(self, deployed: Deployed) -> None:
        iam, name = self.cloud.client("iam"), deployed.physical_id
        self._attach(name, set(deployed.properties.get("ManagedPolicyArns", [])), set())
        self._put_inline(name, _inline(deployed.properties), {})
        iam.delete_role(RoleName=name)

    def _attach(self, name: str, before: set[str], after: set[str]) -> None:
        iam = self.cloud.client("iam")
        for arn in after - before:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in before - after:
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)

    def _put_inline(self, name: str, before: dict[str, str], after: dict[str, str]) -> None:
        iam = self.cloud.client("iam")
        for policy, document in after.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
        for policy in before.keys() - after.keys():
            iam.delete_role_policy(RoleName=name, PolicyName=policy)


def _inline(properties: Properties) -> dict[str, str]:
    return {item["PolicyName"]: json.dumps(item["PolicyDocument"]) for item in properties.get("Policies", [])}
