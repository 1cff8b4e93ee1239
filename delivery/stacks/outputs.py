"""What the release reads of the stacks, by the names that `[outputs]` gives them."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from delivery.environment import Outputs
from delivery.errors import NotFound


class StackOutputs(BaseModel):
    """values: name in `[outputs]` -> value; a name is missing while its stack does not exist or lacks the output."""

    model_config = ConfigDict(frozen=True)

    sources: Outputs
    values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def need(self, name: str) -> str:
        """Raises NotFound, naming stack and output."""
        if name not in self.values:
            raise NotFound(
                f"{getattr(self.sources, name)}: there is no such stack output. A release deploys the stack."
            )
        return self.values[name]

    def missing(self, *names: str) -> tuple[str, ...]:
        """The stacks that have to be deployed before these are known, in the order of the names."""
        stacks = (source_of(self.sources, name)[0] for name in names if name not in self.values)
        return tuple(dict.fromkeys(stacks))


def source_of(sources: Outputs, name: str) -> tuple[str, str]:
    """Stack id and output key of a name in `[outputs]`."""
    stack_id, _, key = getattr(sources, name).partition(".")
    return stack_id, key


def find_outputs(sources: Outputs, stacks: Mapping[str, Mapping[str, str]]) -> StackOutputs:
    """stacks: stack id -> its outputs, for the stacks that exist."""
    values = {}
    for name in Outputs.model_fields:
        stack_id, key = source_of(sources, name)
        if value := stacks.get(stack_id, {}).get(key):
            values[name] = value
    return StackOutputs(sources=sources, values=values)
