"""The cloud assembly as data: which stacks there are, what they need, and the order they can be deployed in."""

import graphlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.errors import SettingsError

STACK_ARTIFACT = "aws:cloudformation:stack"
# CloudFormation takes a template in the request itself up to the first size, and up to the second one from a bucket.
MAX_TEMPLATE_BYTES = 51_200
MAX_STORED_TEMPLATE_BYTES = 1_048_576


class StackSpec(BaseModel):
    """One stack as synthesised. id: in the assembly; name: in CloudFormation; template: its text."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    template: str
    tags: dict[str, str] = {}
    depends_on: tuple[str, ...] = ()
    is_protected: bool = False

    @cached_property
    def resources(self) -> dict[str, Any]:
        """Logical id -> resource, of the template."""
        return json.loads(self.template).get("Resources", {})

    @property
    def size_bytes(self) -> int:
        return len(self.template.encode())

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What CloudFormation wants acknowledged; named IAM resources include unnamed ones."""
        has_iam = any(resource["Type"].startswith("AWS::IAM::") for resource in self.resources.values())
        return ("CAPABILITY_NAMED_IAM",) if has_iam else ()


def why_not_sent(stack: StackSpec, *, has_bucket: bool) -> str | None:
    """A sentence where the template is too large for the ways there are; has_bucket: the state lives in one."""
    limit = MAX_STORED_TEMPLATE_BYTES if has_bucket else MAX_TEMPLATE_BYTES
    if stack.size_bytes <= limit:
        return None
    said = f"{stack.id}: its template has {stack.size_bytes:,} bytes and CloudFormation takes {limit:,}"
    if has_bucket:
        return f"{said} from a bucket: split the stack."
    return f"{said} in a request. It reads larger ones from the state's bucket: set [state] url to s3://bucket/prefix."


def parse_assembly(manifest: Mapping[str, Any], read_template: Callable[[str], str]) -> tuple[StackSpec, ...]:
    """The assembly's stacks, each after those it depends on, else in the manifest's order.

    read_template: the text of a file that the manifest names. Raises SettingsError on an assembly without stacks or
    with a circle.
    """
    artifacts = {
        name: artifact for name, artifact in manifest.get("artifacts", {}).items() if artifact["type"] == STACK_ARTIFACT
    }
    if not artifacts:
        raise SettingsError("The cloud assembly names no stack. Synthesise it again.")
    # The manifest lists files as dependencies as well; only stacks have an order.
    graph = {name: [key for key in artifacts[name].get("dependencies", []) if key in artifacts] for name in artifacts}
    try:
        order = tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise SettingsError(
            f"The cloud assembly's stacks depend on each other in a circle: {error.args[1]}."
        ) from error
    return tuple(_stack(name, artifacts[name], graph[name], read_template) for name in order)


def _stack(name: str, artifact: Mapping[str, Any], needs: list[str], read_template: Callable[[str], str]) -> StackSpec:
    properties = artifact["properties"]
    return StackSpec(
        id=name,
        name=properties["stackName"],
        template=read_template(properties["templateFile"]),
        tags=properties.get("tags", {}),
        depends_on=tuple(needs),
        is_protected=properties.get("terminationProtection", False),
    )
