"""Planning the stacks: what each change set would do, and what a release must not do to what holds data."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction
from delivery.stacks.access import describe_widening
from delivery.stacks.assembly import StackSpec, why_not_sent
from delivery.stacks.operations import describe_operator
from delivery.stacks.state import STATEFUL, ObservedStack, ResourceChange, StackState
from delivery.stacks.status import Standing, advice_for

# AWS takes these in one direction only: storage does not shrink, and an upgraded engine does not go back.
ONE_WAY = (
    "AllocatedStorage",
    "EngineVersion",
    "KafkaVersion",
    "BrokerNodeGroupInfo.StorageInfo",
    "Version",
)
SHOWN_CHARACTERS = 100


def plan_stacks(
    assembly: Sequence[StackSpec], observed: Mapping[str, ObservedStack], *, has_bucket: bool = False
) -> PartPlan:
    """A step for each stack in the assembly's order, and every reason not to begin.

    observed: by stack id, one for each stack of the assembly. has_bucket: for templates too large for a request.
    """
    steps: dict[str, Step] = {}
    refusals: list[str] = []
    for stack in assembly:
        found = observed[stack.id]
        unsettled = tuple(name for name in stack.depends_on if steps[name].action is not StepAction.NOTHING)
        absent = tuple(name for name in stack.depends_on if observed[name].standing in CREATED_ANEW)
        refusals.extend(refusals_of(stack, found, unsettled, has_bucket=has_bucket))
        is_new = found.standing in CREATED_ANEW
        steps[stack.id] = _create(stack, found, absent) if is_new else _change(stack, found, unsettled)
    return PartPlan(steps=tuple(steps.values()), refusals=tuple(refusals))


CREATED_ANEW = (Standing.ABSENT, Standing.DELETE_FIRST)


def refusals_of(
    stack: StackSpec, found: ObservedStack, unsettled: Sequence[str], *, has_bucket: bool
) -> tuple[str, ...]:
    """A sentence for everything that must not or cannot be done. unsettled: dependencies this release changes."""
    refusals = data_losses(stack, found.changes)
    if too_large := why_not_sent(stack, has_bucket=has_bucket):
        refusals.append(too_large)
    if found.state and found.standing in (Standing.WAIT, Standing.NEEDS_A_PERSON):
        by = f", by {describe_operator(found.operation)}" if found.standing is Standing.WAIT else ""
        refusals.append(
            f"{stack.id}: stack {stack.name} is in {found.state.status}{by}, which refuses updates. "
            f"{advice_for(stack.name, found.state.status)}"
        )
    if found.refused and not unsettled:
        refusals.append(f"{stack.id}: CloudFormation refused its change set. {found.refused}")
    return tuple(refusals)


def data_losses(stack: StackSpec, changes: Iterable[ResourceChange]) -> list[str]:
    """A sentence for each change that would replace or delete what holds data."""
    return [_data_loss(stack, change) for change in changes if change.loses_data]


def _data_loss(stack: StackSpec, change: ResourceChange) -> str:
    would = {"True": "would be replaced", "Conditional": "may be replaced"}.get(change.replacement, "")
    would = "would be deleted" if change.action == "Remove" else would
    causes = ", ".join(item.path for item in change.properties)
    because = f" ({causes})" if causes else ""
    return (
        f"{stack.id}: {change.logical_id} ({change.type}) {would}{because}, and with it what it holds: "
        "move its data by hand, or take the change out of the stack."
    )


def _create(stack: StackSpec, found: ObservedStack, absent: Sequence[str]) -> Step:
    lines = [f"{len(stack.resources)} resource{'' if len(stack.resources) == 1 else 's'}"]
    if found.standing is Standing.DELETE_FIRST:
        lines.insert(0, "deletes what a failed creation left (ROLLBACK_COMPLETE), then creates it")
    if absent:
        lines.append(f"after {', '.join(absent)}")
    has_state = any(resource["Type"] in STATEFUL for resource in stack.resources.values())
    return Step(
        phase=Phase.STACKS,
        name=stack.id,
        action=StepAction.CREATE,
        way_back=Reversibility.COSTLY if has_state else Reversibility.REVERSIBLE,
        changes=tuple(lines),
        widens=describe_widening((name, {}, one.get("Properties", {})) for name, one in stack.resources.items()),
    )


def _change(stack: StackSpec, found: ObservedStack, unsettled: Sequence[str]) -> Step:
    lines = [line for change in found.changes for line in change_lines(change)]
    if found.is_changed and not found.changes:
        lines.append("~ tags or outputs only")
    if found.refused:
        lines.append(f"~ cannot be shown in full: it takes values from {', '.join(unsettled)}, which changes first")
    if found.state and needs_protection(stack, found.state):
        lines.append("+ termination protection")
    return Step(
        phase=Phase.STACKS,
        name=found.id,
        action=StepAction.CHANGE if lines else StepAction.NOTHING,
        way_back=Reversibility.COSTLY if found.refused else reversibility_of(found.changes),
        changes=tuple(lines),
        widens=describe_widening((change.logical_id, change.before, change.after) for change in found.changes),
    )


def needs_protection(stack: StackSpec, state: StackState) -> bool:
    return stack.is_protected and not state.is_protected


def reversibility_of(changes: Iterable[ResourceChange]) -> Reversibility:
    """The hardest way back among the changes: costly where something restarts or is made anew."""
    ways = {_way_back(change) for change in changes}
    return next((way for way in (Reversibility.NONE, Reversibility.COSTLY) if way in ways), Reversibility.REVERSIBLE)


def _way_back(change: ResourceChange) -> Reversibility:
    if change.action == "Add":
        return Reversibility.COSTLY if change.is_stateful else Reversibility.REVERSIBLE
    if change.loses_data:
        return Reversibility.NONE
    if change.is_stateful:
        is_one_way = any(item.path.startswith(ONE_WAY) for item in change.properties)
        return Reversibility.NONE if is_one_way else Reversibility.COSTLY
    return (
        Reversibility.COSTLY if change.action == "Remove" or change.replacement != "False" else Reversibility.REVERSIBLE
    )


def change_lines(change: ResourceChange) -> tuple[str, ...]:
    """A line for each property of a modified resource, one line for any other."""
    sign = {"Add": "+", "Remove": "-"}.get(change.action, "~")
    fate = {"True": ", replaced", "Conditional": ", may be replaced"}.get(change.replacement, "")
    head = f"{sign} {change.logical_id} ({change.type}{fate})"
    if change.action != "Modify" or not change.properties:
        return (head,)
    return tuple(f"{head} {item.path}: {shown(item.before)} -> {shown(item.after)}" for item in change.properties)


def shown(value: str | None) -> str:
    """A value for one line; a long one is cut, with enough of its hash to tell two apart."""
    if value is None:
        return "(none)"
    text = " ".join(value.split())
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}… (sha256 {hashlib.sha256(value.encode()).hexdigest()[:8]})"
