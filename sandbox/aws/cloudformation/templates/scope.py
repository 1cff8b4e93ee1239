"""The values of names in a template: parameters, pseudo parameters and resources of one stack."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.cloudformation.model.errors import ValidationError
from sandbox.aws.cloudformation.model.records import Resource
from sandbox.aws.cloudformation.templates.intrinsics import KNOWN_AFTER_APPLY, Evaluator

IDENTITY = ("Arn", "ARN", "Id")


@dataclass
class Scope:
    """The names of one stack.

    unknown: resources whose values are unknown until they are created. changing: resources that are changed in place.
    Their ARN and ID stay the same, other attributes may change.
    """

    stack_id: str
    stack_name: str
    account_id: str
    region: str
    values: dict[str, Any]
    resources: dict[str, Resource]
    exports: Callable[[], dict[str, str]]
    unknown: set[str] = field(default_factory=set)
    changing: set[str] = field(default_factory=set)

    def evaluator(self, template: dict[str, Any]) -> Evaluator:
        return Evaluator(template, self.reference, self.attribute, self.exports, self.region)

    def reference(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        if name in self.unknown:
            return KNOWN_AFTER_APPLY
        if name in self.resources:
            return self.resources[name].physical_id
        pseudo = self._pseudo()
        if name not in pseudo:
            raise ValidationError(f"Template format error: Unresolved resource dependencies [{name}]")
        return pseudo[name]

    def attribute(self, name: str, attribute: str) -> Any:
        if name in self.unknown or (name in self.changing and not attribute.endswith(IDENTITY)):
            return KNOWN_AFTER_APPLY
        resource = self.resources.get(name)
        if resource is None:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        if attribute not in resource.attributes:
            raise ValidationError(
                f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            )
        return resource.attributes[attribute]

    def _pseudo(self) -> dict[str, Any]:
        return {
            "AWS::AccountId": self.account_id,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.stack_name,
            "AWS::StackId": self.stack_id,
            "AWS::NotificationARNs": [],
        }


def active_resources(template: dict[str, Any], evaluator: Evaluator) -> Iterable[str]:
    """The names of the resources without a condition, or whose condition is true."""
    for name, resource in template["Resources"].items():
        if "Condition" not in resource or evaluator.is_true(resource["Condition"]):
            yield name
