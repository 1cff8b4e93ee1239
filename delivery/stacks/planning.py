"""The plan of the stacks: what each change set would do, and which changes are refused because data would be lost."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction
from delivery.stacks.access import list_new_access
from delivery.stacks.assembly import StackSpec, why_too_large
from delivery.stacks.operations import describe_operator
from delivery.stacks.state import STATEFUL, ObservedStack, ResourceChange, StackState
from delivery.stacks.status import StatusClass, advice_for

# AWS allows only increases: storage does not shrink, and an engine is not downgraded.
ONE_WAY = (
    "AllocatedStorage",
    "EngineVersion",
    "KafkaVersion",
    "BrokerNodeGroupInfo.StorageInfo",
    "Version",
)
TO_CREATE = (StatusClass.ABSENT, StatusClass.DELETE_FIRST)
SHOWN_CHARACTERS = 100


def plan_stacks(
    assembly: Sequence[StackSpec], observed: Mapping[str, ObservedStack], *, has_bucket: bool = False
) -> PartPlan:
    """A step for each stack in the order of the assembly, and all reasons to refuse the release.

    observed: by stack id, one for each stack of the assembly. has_bucket: the state is in a bucket, which can store
    templates that are too large for a request.
    """
    steps: dict[str, Step] = {}
    refusals: list[str] = []
    for stack in assembly:
        found = observed[stack.id]
        changing = tuple(name for name in stack.depends_on if steps[name].action is not StepAction.NOTHING)
        missing = tuple(name for name in stack.depends_on if observed[name].status_class in TO_CREATE)
        refusals.extend(refusals_of(stack, found, changing, has_bucket=has_bucket))
        is_new = found.status_class in TO_CREATE
        steps[stack.id] = _create(stack, found, missing) if is_new else _change(stack, found, changing)
    return PartPlan(steps=tuple(steps.values()), refusals=tuple(refusals))


def refusals_of(
    stack: StackSpec, found: ObservedStack, changing: Sequence[str], *, has_bucket: bool
) -> tuple[str, ...]:
    """Each reason to refuse the release because of this stack. changing: dependencies that the release changes."""
    refusals = data_losses(stack, found.changes)
    if too_large := why_too_large(stack, has_bucket=has_bucket):
        refusals.append(too_large)
    if found.state and found.status_class in (StatusClass.IN_PROGRESS, StatusClass.NEEDS_OPERATOR):
        is_running = found.status_class is StatusClass.IN_PROGRESS
        started_by = f", started by {describe_operator(found.operation)}," if is_running else ""
        refusals.append(
            f"{stack.id}: stack {stack.name} is in {found.state.status}{started_by} and cannot be updated. "
            f"{advice_for(stack.name, found.state.status)}"
        )
    if found.refused and not changing:
        refusals.append(f"{stack.id}: CloudFormation refused its change set. {found.refused}")
    return tuple(refusals)


def data_losses(stack: StackSpec, changes: Iterable[ResourceChange]) -> list[str]:
    """A refusal for each change that would replace or delete a resource with data."""
    return [_data_loss(stack, change) for change in changes if change.loses_data]


def _data_loss(stack: StackSpec, change: ResourceChange) -> str:
    would = "may" if change.action != "Remove" and change.replacement == "Conditional" else "would"
    fate = "deleted" if change.action == "Remove" else "replaced"
    causes = ", ".join(item.path for item in change.properties)
    because = f" ({causes})" if causes else ""
    return (
        f"{stack.id}: {change.logical_id} ({change.type}) {would} be {fate}{because}, and its data {would} be lost. "
        "Slipway never replaces or deletes a resource that stores data. Remove the change from the template. "
        f"To {'delete' if change.action == 'Remove' else 'replace'} the resource, deploy the stack manually."
    )


def _create(stack: StackSpec, found: ObservedStack, missing: Sequence[str]) -> Step:
    lines = [f"{len(stack.resources)} resource{'' if len(stack.resources) == 1 else 's'}"]
    if found.status_class is StatusClass.DELETE_FIRST:
        lines.insert(0, "first deletes the stack of a failed creation (ROLLBACK_COMPLETE)")
    if missing:
        lines.append(f"after {', '.join(missing)}")
    has_state = any(resource["Type"] in STATEFUL for resource in stack.resources.values())
    return Step(
        phase=Phase.STACKS,
        name=stack.id,
        action=StepAction.CREATE,
        reversibility=Reversibility.COSTLY if has_state else Reversibility.REVERSIBLE,
        changes=tuple(lines),
        widens=list_new_access((name, {}, one.get("Properties", {})) for name, one in stack.resources.items()),
    )


def _change(stack: StackSpec, found: ObservedStack, changing: Sequence[str]) -> Step:
    lines = [line for change in found.changes for line in change_lines(change)]
    if found.is_changed and not found.changes:
        lines.append("~ tags or outputs only")
    if found.refused:
        lines.append(f"~ changes are not known yet: they depend on {', '.join(changing)}, deployed first")
    if found.state and needs_protection(stack, found.state):
        lines.append("+ termination protection")
    return Step(
        phase=Phase.STACKS,
        name=found.id,
        action=StepAction.CHANGE if lines else StepAction.NOTHING,
        reversibility=Reversibility.COSTLY if found.refused else reversibility_of(found.changes),
        changes=tuple(lines),
        widens=list_new_access((change.logical_id, change.before, change.after) for change in found.changes),
    )


def needs_protection(stack: StackSpec, state: StackState) -> bool:
    return stack.is_protected and not state.is_protected


def reversibility_of(changes: Iterable[ResourceChange]) -> Reversibility:
    """The worst reversibility of the changes."""
    found = {_reversibility_of_one(change) for change in changes}
    worst_first = (Reversibility.IRREVERSIBLE, Reversibility.COSTLY)
    return next((one for one in worst_first if one in found), Reversibility.REVERSIBLE)


def _reversibility_of_one(change: ResourceChange) -> Reversibility:
    """Costly if undoing it restarts or rebuilds a resource, or deletes one that stores data."""
    if change.action == "Add":
        return Reversibility.COSTLY if change.is_stateful else Reversibility.REVERSIBLE
    if change.loses_data:
        return Reversibility.IRREVERSIBLE
    if change.is_stateful:
        is_one_way = any(item.path.startswith(ONE_WAY) for item in change.properties)
        return Reversibility.IRREVERSIBLE if is_one_way else Reversibility.COSTLY
    is_rebuilt = change.action == "Remove" or change.replacement != "False"
    return Reversibility.COSTLY if is_rebuilt else Reversibility.REVERSIBLE


def change_lines(change: ResourceChange) -> tuple[str, ...]:
    """One line for each property of a modified resource, and one line for any other resource."""
    sign = {"Add": "+", "Remove": "-"}.get(change.action, "~")
    fate = {"True": ", replaced", "Conditional": ", may be replaced"}.get(change.replacement, "")
    head = f"{sign} {change.logical_id} ({change.type}{fate})"
    if change.action != "Modify" or not change.properties:
        return (head,)
    return tuple(f"{head} {item.path}: {shown(item.before)} -> {shown(item.after)}" for item in change.properties)


def shown(value: str | None) -> str:
    """A value in one line. A long value is cut, and a part of its hash distinguishes it from others."""
    if value is None:
        return "(none)"
    text = " ".join(value.split())
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}… (sha256 {hashlib.sha256(value.encode()).hexdigest()[:8]})"
