"""The stack outputs that a release reads, by their names in `[outputs]`."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from delivery.errors import NotFound
from delivery.settings.stacks import Outputs


class StackOutputs(BaseModel):
    """values: by name in `[outputs]`. A name is missing if its stack does not exist or does not have the output."""

    model_config = ConfigDict(frozen=True)

    sources: Outputs
    values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def need(self, name: str) -> str:
        """The value. Raises NotFound with the names of stack and output, also if the stack does not exist."""
        if name not in self.values:
            stack_id, key = source_of(self.sources, name)
            raise NotFound(f"Stack {stack_id} has no output {key}. Deploy the stack, or correct [outputs] {name}.")
        return self.values[name]

    def missing(self, *names: str) -> tuple[str, ...]:
        """The stacks that must be deployed before these values are known, in the order of the names."""
        stacks = (source_of(self.sources, name)[0] for name in names if name not in self.values)
        return tuple(dict.fromkeys(stacks))


def source_of(sources: Outputs, name: str) -> tuple[str, str]:
    """Stack id and output key of a name in `[outputs]`."""
    stack_id, _, key = getattr(sources, name).partition(".")
    return stack_id, key


def find_outputs(sources: Outputs, stacks: Mapping[str, Mapping[str, str]]) -> StackOutputs:
    """stacks: the outputs of each stack that exists, by stack id."""
    values = {}
    for name in Outputs.model_fields:
        stack_id, key = source_of(sources, name)
        if value := stacks.get(stack_id, {}).get(key):
            values[name] = value
    return StackOutputs(sources=sources, values=values)
