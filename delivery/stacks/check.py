"""Whether the deployed stacks match the cloud assembly. This only reads: no change set is created.

Compared are template, parameters (also their values in Parameter Store now and when the stack was deployed), tags,
termination protection and status. Manual changes to a resource are not compared: only drift detection finds them.
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
from delivery.stacks.status import StatusClass, classify

STORED = "AWS::SSM::Parameter::Value"
WANTED = "each stack with its template, parameters, tags and termination protection"


class DeployedStack(BaseModel):
    """A stack as CloudFormation reports it. template: its text as it was sent."""

    model_config = ConfigDict(frozen=True)

    state: StackState
    template: str


def judge_stacks(
    assembly: Sequence[StackSpec], deployed: Mapping[str, DeployedStack | None], stored: Mapping[str, str]
) -> Check:
    """PASS if no stack differs from the assembly.

    deployed: by stack id; None if the stack does not exist. stored: the values in Parameter Store now, by name.
    """
    differences = [
        f"{stack.id}: {text}" for stack in assembly for text in differences_of(stack, deployed[stack.id], stored)
    ]
    seen = "; ".join(differences) or f"{len(assembly)} of {len(assembly)} stacks match the cloud assembly"
    verdict = Verdict.FAIL if differences or not assembly else Verdict.PASS
    return Check(name="stacks", verdict=verdict, seen=seen, wanted=WANTED)


def differences_of(stack: StackSpec, found: DeployedStack | None, stored: Mapping[str, str]) -> Iterator[str]:
    """A few words for each difference between the stack and the assembly."""
    if found is None:
        yield "the stack does not exist"
        return
    if classify(found.state.status) is not StatusClass.COMPLETE:
        yield f"status {found.state.status}"
    if not is_same_template(stack.template, found.template):
        yield "different template"
    yield from parameter_differences(stack, found.state, stored)
    if stack.tags != found.state.tags:
        yield "different tags"
    if needs_protection(stack, found.state):
        yield "no termination protection"


def is_same_template(wanted: str, found: str) -> bool:
    """Whether two templates have the same content. White space does not count."""
    try:
        return json.loads(wanted) == json.loads(found)
    except ValueError:
        return wanted.strip() == found.strip()


def parameter_differences(stack: StackSpec, state: StackState, stored: Mapping[str, str]) -> Iterator[str]:
    """Parameters that do not have the default of the template, and values that changed in Parameter Store."""
    for name, declared in declared_parameters(stack).items():
        found = state.parameters.get(name)
        if found is None or found.given != str(declared.get("Default", found.given)):
            yield f"parameter {name} differs from the template"
        elif declared["Type"].startswith(STORED) and stored.get(found.given) != found.resolved:
            yield f"{found.given} changed in Parameter Store after the stack was deployed"


def stored_names(assembly: Iterable[StackSpec]) -> set[str]:
    """The names in Parameter Store that the templates of the assembly read."""
    parameters = [declared for stack in assembly for declared in declared_parameters(stack).values()]
    return {one["Default"] for one in parameters if one["Type"].startswith(STORED) and "Default" in one}


def declared_parameters(stack: StackSpec) -> dict[str, Any]:
    return json.loads(stack.template).get("Parameters", {})
