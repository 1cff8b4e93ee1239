"""The committed cloud assembly."""

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ASSEMBLY = ROOT / "infrastructure" / "cdk" / "assembly" / "production"


@cache
def read_stacks() -> dict[str, dict[str, Any]]:
    """The stacks of the manifest by id, in the order of the manifest."""
    return json.loads((ASSEMBLY / "manifest.json").read_text("utf-8"))["artifacts"]


@cache
def read_template(stack_id: str) -> dict[str, Any]:
    """The template of a stack."""
    return json.loads((ASSEMBLY / read_stacks()[stack_id]["properties"]["templateFile"]).read_text("utf-8"))


def list_resources(resource_type: str, stack_id: str | None = None) -> list[dict[str, Any]]:
    """All resources of a type, in one stack or in all stacks."""
    return [
        resource
        for stack in ([stack_id] if stack_id else read_stacks())
        for resource in read_template(stack)["Resources"].values()
        if resource["Type"] == resource_type
    ]


def read_properties(resource_type: str) -> dict[str, Any]:
    """The properties of the only resource of a type."""
    (resource,) = list_resources(resource_type)
    return resource["Properties"]
