"""The plan as the operator reads it: each change property by property, and what is unchanged in one line per phase."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from delivery.plan import Phase, ReleasePlan, Reversibility, Step, StepAction

WIDTH = 110
INDENT = "  "
NO_BREAK = "\N{NO-BREAK SPACE}"
REVERSIBILITY = {
    Reversibility.COSTLY: "undoing it restarts or rebuilds resources, or deletes resources that store data",
    Reversibility.IRREVERSIBLE: "cannot be undone, or deletes data",
}
ALL_REVERSIBLE = "Reversibility: all steps are reversible."


@dataclass(frozen=True)
class Group:
    """Steps that differ only in their names. changes: without those that the whole phase shares."""

    names: tuple[str, ...]
    action: StepAction
    reversibility: Reversibility
    changes: tuple[str, ...]


def describe_plan(plan: ReleasePlan) -> str:
    """The whole plan: notes, phases in order, new access, and the meaning of the marks."""
    lines = [f"Plan {plan.hash} for {plan.environment}: {plan.artifact_digest}"]
    lines += [f"Note: {finding}" for finding in plan.findings]
    lines += [line for phase in Phase for line in describe_phase(plan, phase)]
    return "\n".join([*lines, *describe_new_access(plan), *describe_reversibility(plan)])


def describe_new_access(plan: ReleasePlan) -> list[str]:
    """The access that the plan grants, by stack, separate from all other changes. Empty if it grants none."""
    granting = [step for step in plan.steps if step.widens]
    lines = [line for step in granting for line in (f"{INDENT}{step.name}", *describe_accesses(step))]
    return ["New access:", *lines] if lines else []


def describe_accesses(step: Step) -> list[str]:
    return [line for access in step.widens for line in wrap_words(access.says, INDENT * 2, INDENT * 4)]


def describe_phase(plan: ReleasePlan, phase: Phase) -> tuple[str, ...]:
    """A heading, then the changes. One line if the phase has nothing to do, no line if it has no steps."""
    steps = plan.steps_of(phase)
    changing = tuple(step for step in steps if step.action is not StepAction.NOTHING)
    if not changing:
        return (f"{phase}: nothing to do ({len(steps)} unchanged)",) if steps else ()
    shared = shared_changes(changing)
    groups = group_steps([step.model_copy(update={"changes": without(step.changes, shared)}) for step in changing])
    # Only names that are alone in their line form a column.
    width = max((len(title_of(group)) for group in groups if len(group.names) == 1), default=0)
    lines = [f"{phase}:", *(line for group in groups for line in describe_group(group, width))]
    lines += [f"{INDENT}all: {', '.join(shared)}"] if shared else []
    return (*lines, *describe_unchanged(steps))


def describe_group(group: Group, width: int) -> list[str]:
    """`create  six.topics  6 partitions`. A change has one line for each property. Many names are wrapped."""
    head, hanging = f"{INDENT}{group.action}  ", " " * len(f"{INDENT}{group.action}  ")
    change_lines = [f"{hanging}{INDENT}{change}" for change in group.changes]
    if len(group.names) > 1:
        return [*wrap_names(title_of(group), head, hanging), *change_lines]
    one_line = f"{head}{title_of(group):<{width}}  {', '.join(group.changes)}".rstrip()
    if group.action is StepAction.CREATE and len(one_line) <= WIDTH:
        return [one_line]
    return [f"{head}{title_of(group)}", *change_lines]


def describe_unchanged(steps: Sequence[Step]) -> list[str]:
    names = [step.name for step in steps if step.action is StepAction.NOTHING]
    head = f"{INDENT}unchanged  "
    return wrap_names(", ".join(names), head, " " * len(head)) if names else []


def describe_reversibility(plan: ReleasePlan) -> list[str]:
    """The meaning of the marks that the plan uses. Empty if there is nothing to do."""
    used = {step.reversibility for step in plan.steps if step.action is not StepAction.NOTHING}
    marks = [f"{INDENT}{mark}: {meaning}" for mark, meaning in REVERSIBILITY.items() if mark in used]
    if marks:
        return ["Reversibility: steps without a mark are reversible.", *marks]
    return [ALL_REVERSIBLE] if used else []


def group_steps(steps: Sequence[Step]) -> list[Group]:
    """Groups of steps that differ only in their names, in the order of the first step of each."""
    names: dict[tuple[StepAction, Reversibility, tuple[str, ...]], list[str]] = {}
    for step in steps:
        names.setdefault((step.action, step.reversibility, step.changes), []).append(step.name)
    return [Group(tuple(same), *common) for common, same in names.items()]


def shared_changes(steps: Sequence[Step]) -> tuple[str, ...]:
    """The changes that all steps have. Empty if no step has any other change."""
    shared = tuple(change for change in steps[0].changes if all(change in step.changes for step in steps))
    has_others = any(step.changes != shared for step in steps)
    return shared if has_others else ()


def without(changes: Sequence[str], shared: Sequence[str]) -> tuple[str, ...]:
    return tuple(change for change in changes if change not in shared)


def title_of(group: Group) -> str:
    mark = "" if group.reversibility is Reversibility.REVERSIBLE else f" ({group.reversibility})"
    return ", ".join(group.names) + mark


def wrap_words(text: str, head: str, hanging: str) -> list[str]:
    """Lines broken only between words: an ARN contains hyphens, and may be longer than a line."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def wrap_names(names: str, head: str, hanging: str) -> list[str]:
    """Lines broken only after a comma: names of objects contain spaces."""
    whole = names.replace(" ", NO_BREAK).replace(f",{NO_BREAK}", ", ")
    return [line.replace(NO_BREAK, " ") for line in wrap_words(whole, head, hanging)]
