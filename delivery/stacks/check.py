"""Whether the stacks that stand are the assembly's, by reading alone: no change set is made for it.

Compared: template, parameters (also what the parameter store holds now against what it held at the deployment), tags,
protection and status. Not compared: what somebody changed at a resource by hand, which only drift detection tells.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.canary.verdict import Verdict
from delivery.check import Check
from delivery.stacks.assembly import StackSpec
from delivery.stacks.planning import needs_protection
from delivery.stacks.state import StackState
from delivery.stacks.status import Standing, standing_of

STORED = "AWS::SSM::Parameter::Value"
WANTED = "each stack with its template, parameters, tags and protection"


class DeployedStack(BaseModel):
    """A stack as read back. template: its text as it was sent."""

    model_config = ConfigDict(frozen=True)

    state: StackState
    template: str


def judge_stacks(
    assembly: Sequence[StackSpec], deployed: Mapping[str, DeployedStack | None], stored: Mapping[str, str]
) -> Check:
    """Passes when no stack differs from the assembly.

    deployed: by stack id, None where there is none. stored: what the parameter store holds now, by name.
    """
    found = [f"{stack.id}: {said}" for stack in assembly for said in differences_of(stack, deployed[stack.id], stored)]
    seen = "; ".join(found) or f"{len(assembly)} stacks as the assembly has them"
    verdict = Verdict.FAIL if found or not assembly else Verdict.PASS
    return Check(name="stacks", verdict=verdict, seen=seen, wanted=WANTED)


def differences_of(stack: StackSpec, found: DeployedStack | None, stored: Mapping[str, str]) -> Iterator[str]:
    """A few words for each way in which the stack differs."""
    if found is None:
        yield "there is none"
        return
    if standing_of(found.state.status) is not Standing.DONE:
        yield f"in {found.state.status}"
    if not is_same_template(stack.template, found.template):
        yield "another template"
    yield from parameter_differences(stack, found.state, stored)
    if stack.tags != found.state.tags:
        yield "other tags"
    if needs_protection(stack, found.state):
        yield "not protected from deletion"


def is_same_template(wanted: str, found: str) -> bool:
    """By what they say, not by their white space."""
    try:
        return json.loads(wanted) == json.loads(found)
    except ValueError:
        return wanted.strip() == found.strip()


def parameter_differences(stack: StackSpec, state: StackState, stored: Mapping[str, str]) -> Iterator[str]:
    """What was given besides the template's defaults, and stored values that moved since the deployment."""
    for name, slot in declared_parameters(stack).items():
        found = state.parameters.get(name)
        if found is None or found.given != str(slot.get("Default", found.given)):
            yield f"parameter {name} is not the template's"
        elif slot["Type"].startswith(STORED) and stored.get(found.given) != found.resolved:
            yield f"{found.given} has changed in the parameter store since it was deployed"


def stored_names(assembly: Iterable[StackSpec]) -> set[str]:
    """Which names of the parameter store the assembly's templates read."""
    slots = [slot for stack in assembly for slot in declared_parameters(stack).values()]
    return {slot["Default"] for slot in slots if slot["Type"].startswith(STORED) and "Default" in slot}


def declared_parameters(stack: StackSpec) -> dict[str, Any]:
    return json.loads(stack.template).get("Parameters", {})
