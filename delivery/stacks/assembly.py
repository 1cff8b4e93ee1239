"""The cloud assembly as data: its stacks, their dependencies, and an order to deploy them."""

import graphlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.errors import SettingsError

STACK_ARTIFACT = "aws:cloudformation:stack"
# The largest template that CloudFormation accepts in a request, and the largest that it reads from a bucket.
MAX_TEMPLATE_BYTES = 51_200
MAX_STORED_TEMPLATE_BYTES = 1_048_576


class StackSpec(BaseModel):
    """One stack of the cloud assembly. id: in the assembly. name: in CloudFormation. template: its text."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    template: str
    tags: dict[str, str] = {}
    depends_on: tuple[str, ...] = ()
    is_protected: bool = False

    @cached_property
    def resources(self) -> dict[str, Any]:
        """The resources of the template by logical id."""
        return json.loads(self.template).get("Resources", {})

    @property
    def size_bytes(self) -> int:
        return len(self.template.encode())

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The capabilities that the template needs. CAPABILITY_NAMED_IAM includes CAPABILITY_IAM."""
        has_iam = any(resource["Type"].startswith("AWS::IAM::") for resource in self.resources.values())
        return ("CAPABILITY_NAMED_IAM",) if has_iam else ()


def why_too_large(stack: StackSpec, *, has_bucket: bool) -> str | None:
    """The reason if CloudFormation does not accept the template. has_bucket: the state is in a bucket."""
    limit = MAX_STORED_TEMPLATE_BYTES if has_bucket else MAX_TEMPLATE_BYTES
    if stack.size_bytes <= limit:
        return None
    sizes = f"{stack.id}: the template has {stack.size_bytes:,} bytes, and CloudFormation accepts at most {limit:,}"
    if has_bucket:
        return f"{sizes} from a bucket. Split the stack."
    return f"{sizes} in a request. To send it from the bucket of the state, set [state] url to s3://bucket/prefix."


def parse_assembly(manifest: Mapping[str, Any], read_template: Callable[[str], str]) -> tuple[StackSpec, ...]:
    """The stacks of the assembly, each after those it depends on, otherwise in the order of the manifest.

    read_template: returns the text of a file that the manifest names. Raises SettingsError if the assembly has no stack
    or a cycle.
    """
    artifacts = {
        name: artifact for name, artifact in manifest.get("artifacts", {}).items() if artifact["type"] == STACK_ARTIFACT
    }
    if not artifacts:
        raise SettingsError("The cloud assembly contains no stack. Synthesize it again: make assembly.")
    # The manifest lists files as dependencies too. Only stacks have an order.
    graph = {name: [key for key in artifacts[name].get("dependencies", []) if key in artifacts] for name in artifacts}
    try:
        order = tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise SettingsError(f"The dependencies of the stacks in the cloud assembly form a cycle: {cycle}.") from error
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
