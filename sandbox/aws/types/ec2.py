"""AWS::EC2: the types that change where they are; what stays as it was made comes from moto."""

from typing import Any, ClassVar

from sandbox.aws.types.resource import Deployed, Made, Properties, ResourceType, resource_type
from sandbox.aws.types.values import tag_list


@resource_type("AWS::EC2::SecurityGroup", named_by="GroupName")
class SecurityGroup(ResourceType):
    def create(self, name: str, properties: Properties) -> Made:
        ec2 = self.cloud.client("ec2")
        network = {"VpcId": properties["VpcId"]} if "VpcId" in properties else {}
        group = ec2.create_security_group(GroupName=name, Description=properties["GroupDescription"], **network)[
            "GroupId"
        ]
        if tag_list(properties):
            ec2.create_tags(Resources=[group], Tags=tag_list(properties))
        if "SecurityGroupEgress" in properties:
            # AWS opens every way out of a new group; a template that names the ways out closes that one.
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[_permission(ANYWHERE)])
        self._change(group, {}, properties)
        return Made(group, {"GroupId": group, "VpcId": properties.get("VpcId", ""), "Id": group})

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
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


ANYWHERE = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
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
    """A rule on its own, for groups that name each other."""

    direction: ClassVar[str]

    def create(self, name: str, properties: Properties) -> Made:
        self._call("authorize", properties)
        return Made(name, {"Id": name})

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
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
    def create(self, name: str, properties: Properties) -> Made:
        template = self.cloud.client("ec2").create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData=_typed(properties["LaunchTemplateData"])
        )["LaunchTemplate"]
        return self._made(template["LaunchTemplateId"], template["LatestVersionNumber"])

    def update(self, deployed: Deployed, wanted: Properties) -> Made | None:
        version = self.cloud.client("ec2").create_launch_template_version(
            LaunchTemplateId=deployed.physical_id, LaunchTemplateData=_typed(wanted["LaunchTemplateData"])
        )["LaunchTemplateVersion"]
        return self._made(deployed.physical_id, version["VersionNumber"])

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("ec2").delete_launch_template(LaunchTemplateId=deployed.physical_id)

    @staticmethod
    def _made(template: str, latest: int) -> Made:
        versions = {"LatestVersionNumber": str(latest), "DefaultVersionNumber": "1"}
        return Made(template, {"LaunchTemplateId": template, **versions})


NUMBERS = {"VolumeSize", "Iops", "Throughput", "HttpPutResponseHopLimit"}


def _typed(data: Any, name: str = "") -> Any:
    if isinstance(data, dict):
        return {key: _typed(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [_typed(value, name) for value in data]
    return int(data) if name in NUMBERS else data
