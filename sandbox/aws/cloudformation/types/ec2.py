"""AWS::EC2: the types that can be updated in place. The other types are moto's."""

from typing import Any, ClassVar

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import tag_list


@resource_type("AWS::EC2::SecurityGroup", named_by="GroupName")
class SecurityGroup(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        ec2 = self.cloud.client("ec2")
        network = {"VpcId": properties["VpcId"]} if "VpcId" in properties else {}
        group = ec2.create_security_group(GroupName=name, Description=properties["GroupDescription"], **network)[
            "GroupId"
        ]
        if tag_list(properties):
            ec2.create_tags(Resources=[group], Tags=tag_list(properties))
        if "SecurityGroupEgress" in properties:
            # On AWS, a new group allows all egress. Egress rules in the template replace that rule.
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[_permission(ALL_EGRESS)])
        self._change(group, {}, properties)
        return ReturnValues(group, {"GroupId": group, "VpcId": properties.get("VpcId", ""), "Id": group})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self._change(deployed.physical_id, deployed.properties, wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("ec2").delete_security_group(GroupId=deployed.physical_id)

    def _change(self, group: str, before: Properties, after: Properties) -> None:
        ec2 = self.cloud.client("ec2")
        calls = {
            "SecurityGroupIngress": (ec2.revoke_security_group_ingress, ec2.authorize_security_group_ingress),
            "SecurityGroupEgress": (ec2.revoke_security_group_egress, ec2.authorize_security_group_egress),
        }
        for name, (revoke, authorize) in calls.items():
            old, new = before.get(name, []), after.get(name, [])
            for rule in old:
                if rule not in new:
                    revoke(GroupId=group, IpPermissions=[_permission(rule)])
            for rule in new:
                if rule not in old:
                    authorize(GroupId=group, IpPermissions=[_permission(rule)])


ALL_EGRESS = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _permission(rule: Properties) -> dict[str, Any]:
    permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    permission |= {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    for name, (peers, key) in PEERS.items():
        if name in rule:
            peer = {key: rule[name]}
            if rule.get("Description"):
                peer["Description"] = rule["Description"]
            permission[peers] = [peer]
    return permission


class SecurityGroupRule(ResourceType):
    """A separate rule, for groups that reference each other."""

    direction: ClassVar[str]

    def create(self, name: str, properties: Properties) -> ReturnValues:
        self._call("authorize", properties)
        return ReturnValues(name, {"Id": name})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self._call("revoke", deployed.properties)
        self._call("authorize", wanted)
        return None

    def delete(self, deployed: Deployed) -> None:
        self._call("revoke", deployed.properties)

    def _call(self, verb: str, properties: Properties) -> None:
        call = getattr(self.cloud.client("ec2"), f"{verb}_security_group_{self.direction}")
        call(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])


@resource_type("AWS::EC2::SecurityGroupIngress")
class SecurityGroupIngress(SecurityGroupRule):
    direction = "ingress"


@resource_type("AWS::EC2::SecurityGroupEgress")
class SecurityGroupEgress(SecurityGroupRule):
    direction = "egress"


@resource_type("AWS::EC2::LaunchTemplate", named_by="LaunchTemplateName")
class LaunchTemplate(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        template = self.cloud.client("ec2").create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData=_typed(properties["LaunchTemplateData"])
        )["LaunchTemplate"]
        return self._return_values(template["LaunchTemplateId"], template["LatestVersionNumber"])

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        version = self.cloud.client("ec2").create_launch_template_version(
            LaunchTemplateId=deployed.physical_id, LaunchTemplateData=_typed(wanted["LaunchTemplateData"])
        )["LaunchTemplateVersion"]
        return self._return_values(deployed.physical_id, version["VersionNumber"])

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("ec2").delete_launch_template(LaunchTemplateId=deployed.physical_id)

    @staticmethod
    def _return_values(template: str, latest: int) -> ReturnValues:
        versions = {"LatestVersionNumber": str(latest), "DefaultVersionNumber": "1"}
        return ReturnValues(template, {"LaunchTemplateId": template, **versions})


NUMBERS = {"VolumeSize", "Iops", "Throughput", "HttpPutResponseHopLimit"}


def _typed(data: Any, name: str = "") -> Any:
    if isinstance(data, dict):
        return {key: _typed(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [_typed(value, name) for value in data]
    return int(data) if name in NUMBERS else data
