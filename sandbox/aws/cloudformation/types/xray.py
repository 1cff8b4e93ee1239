"""AWS::XRay: groups and sampling rules."""

from typing import Any

from sandbox.aws.cloudformation.model.resource_type import (
    Deployed,
    Properties,
    ResourceType,
    ReturnValues,
    resource_type,
)
from sandbox.aws.cloudformation.types.values import picked, tag_list


@resource_type("AWS::XRay::Group", named_by="GroupName")
class Group(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        answer = self.cloud.client("xray").create_group(GroupName=name, Tags=tag_list(properties), **_group(properties))
        arn = answer["Group"]["GroupARN"]
        return ReturnValues(arn, {"GroupARN": arn})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        self.cloud.client("xray").update_group(GroupARN=deployed.physical_id, **_group(wanted))
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("xray").delete_group(GroupARN=deployed.physical_id)


def _group(properties: Properties) -> Properties:
    return picked(properties, "FilterExpression", "InsightsConfiguration")


@resource_type("AWS::XRay::SamplingRule")
class SamplingRule(ResourceType):
    def create(self, name: str, properties: Properties) -> ReturnValues:
        rule = {"RuleName": name, **_rule(properties)}
        answer = self.cloud.client("xray").create_sampling_rule(SamplingRule=rule, Tags=tag_list(properties))
        arn = answer["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
        return ReturnValues(arn, {"RuleARN": arn})

    def update(self, deployed: Deployed, wanted: Properties) -> ReturnValues | None:
        changes = {key: value for key, value in _rule(wanted).items() if key not in ("Version", "RuleName")}
        changes["RuleARN"] = deployed.physical_id
        self.cloud.client("xray").update_sampling_rule(SamplingRuleUpdate=changes)
        return None

    def delete(self, deployed: Deployed) -> None:
        self.cloud.client("xray").delete_sampling_rule(RuleARN=deployed.physical_id)


def _rule(properties: Properties) -> dict[str, Any]:
    rule = dict(properties["SamplingRule"])
    rule |= {name: int(rule[name]) for name in ("Priority", "ReservoirSize", "Version") if name in rule}
    return {**rule, "FixedRate": float(rule["FixedRate"])} if "FixedRate" in rule else rule
