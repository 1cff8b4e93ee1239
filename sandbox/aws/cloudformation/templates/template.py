"""Parses and checks templates, and finds the dependencies between their resources."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from sandbox.aws.cloudformation.model.errors import InsufficientCapabilities, ValidationError
from sandbox.aws.cloudformation.templates.yaml_tags import TemplateLoader

IAM_NAMES = ("RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName")
SUB_NAME = re.compile(r"\$\{([^!.}][^.}]*)")


def parse_template(body: str, supported_types: set[str]) -> dict[str, Any]:
    """The template as a dictionary. ValidationError if the template is not valid."""
    template = _load(body)
    if not template.get("Resources"):
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    types = {resource.get("Type", "") for resource in template["Resources"].values()}
    # A type that the sandbox does not support is rejected too, so that no resource is skipped silently.
    unrecognized = sorted(kind for kind in types if kind not in supported_types)
    if unrecognized:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unrecognized)}]")
    _check_references(template)
    return template


def _load(body: str) -> dict[str, Any]:
    try:
        template = json.loads(body) if body.lstrip().startswith("{") else yaml.load(body, TemplateLoader)  # noqa: S506
    except (ValueError, yaml.YAMLError) as error:
        raise ValidationError(f"Template format error: {error}") from error
    if not isinstance(template, dict):
        raise ValidationError("Template format error: unsupported structure.")
    return template


def _check_references(template: dict[str, Any]) -> None:
    known = set(template["Resources"]) | set(template.get("Parameters", {}))
    for name, resource in template["Resources"].items():
        unknown = {reference for reference in references(resource) if reference not in known and ":" not in reference}
        if unknown:
            raise ValidationError(
                f"Template format error: Unresolved resource dependencies [{', '.join(sorted(unknown))}] "
                f"in the Resources block of the template ({name})"
            )


def check_capabilities(template: dict[str, Any], capabilities: list[str]) -> None:
    """InsufficientCapabilitiesException if the template has IAM resources that the request does not acknowledge."""
    iam = [resource for resource in template["Resources"].values() if resource["Type"].startswith("AWS::IAM::")]
    is_named = any(name in resource.get("Properties", {}) for resource in iam for name in IAM_NAMES)
    enough = {"CAPABILITY_NAMED_IAM"} if is_named else {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"}
    if iam and not enough & set(capabilities):
        needed = "CAPABILITY_NAMED_IAM" if is_named else "CAPABILITY_IAM"
        raise InsufficientCapabilities(f"Requires capabilities : [{needed}]")


def dependencies(template: dict[str, Any]) -> dict[str, set[str]]:
    """For each resource, the resources that must exist before it, by Ref, GetAtt, Sub and DependsOn."""
    resources = template["Resources"]
    return {
        name: {other for other in references(resource) if other in resources} - {name}
        for name, resource in resources.items()
    }


def references(resource: dict[str, Any]) -> set[str]:
    """The names of resources and parameters in the definition of a resource."""
    depends_on = resource.get("DependsOn", [])
    named = {depends_on} if isinstance(depends_on, str) else set(depends_on)
    return named | set(_mentioned(resource.get("Properties", {})))


def _mentioned(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for value in node:
            yield from _mentioned(value)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _mentioned_by(key, value)


def _mentioned_by(key: str, value: Any) -> Iterator[str]:
    if key == "Ref" and isinstance(value, str):
        yield value
    elif key == "Fn::GetAtt":
        yield value.split(".")[0] if isinstance(value, str) else value[0]
    elif key == "Fn::Sub":
        text, given = (value, {}) if isinstance(value, str) else value
        yield from (name for name in SUB_NAME.findall(text) if name not in given)
        yield from _mentioned(given)
    else:
        yield from _mentioned(value)
