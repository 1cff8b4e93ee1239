"""A plan as the operator reads it: short, each change property by property, what stays as it is in one line."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from delivery.plan import Phase, ReleasePlan, Reversibility, Step, StepAction

WIDTH = 110
INDENT = "  "
NO_BREAK = "\N{NO-BREAK SPACE}"
REVERSIBILITY = {
    Reversibility.COSTLY: "costly: putting it back restarts, rebuilds or deletes what holds data",
    Reversibility.NONE: "no way back: it is taken in one direction only, or what it deletes does not return",
}
ALL_REVERSIBLE = "Way back: all of it can be put back as it was."


@dataclass(frozen=True)
class Group:
    """Steps of which the same is to be said. changes: what all of them have in common."""

    names: tuple[str, ...]
    action: StepAction
    way_back: Reversibility
    changes: tuple[str, ...]


def describe_plan(plan: ReleasePlan) -> str:
    """The whole plan, its phases in order, and what its words for the way back mean."""
    lines = [f"Plan {plan.hash} for {plan.environment}: {plan.artifact_digest}"]
    lines += [f"Found: {finding}" for finding in plan.findings]
    lines += [line for phase in Phase for line in describe_phase(plan, phase)]
    return "\n".join([*lines, *describe_widening(plan), *describe_reversibility(plan)])


def describe_widening(plan: ReleasePlan) -> list[str]:
    """Who may do more than before, by stack, apart from all other changes; empty where nobody may."""
    widening = [step for step in plan.steps if step.widens]
    lines = [line for step in widening for line in (f"{INDENT}{step.name}", *describe_accesses(step))]
    return ["Access that is given:", *lines] if lines else []


def describe_accesses(step: Step) -> list[str]:
    return [line for access in step.widens for line in wrap_words(access.says, INDENT * 2, INDENT * 4)]


def describe_phase(plan: ReleasePlan, phase: Phase) -> tuple[str, ...]:
    """A heading, then the changes; one line for a phase in which there is nothing to do, none for one without steps."""
    steps = plan.of(phase)
    changing = tuple(step for step in steps if step.action is not StepAction.NOTHING)
    if not changing:
        return (f"{phase}: nothing to do ({len(steps)} as planned)",) if steps else ()
    shared = shared_changes(changing)
    groups = group_steps([step.model_copy(update={"changes": without(step.changes, shared)}) for step in changing])
    # Only names that stand alone in their line stand in one column.
    width = max((len(title_of(group)) for group in groups if len(group.names) == 1), default=0)
    lines = [f"{phase}:", *(line for group in groups for line in describe_group(group, width))]
    lines += [f"{INDENT}all: {', '.join(shared)}"] if shared else []
    return (*lines, *describe_unchanged(steps))


def describe_group(group: Group, width: int) -> list[str]:
    """`create  six.topics  6 partitions`; a change has a line for each property, and many names are wrapped."""
    head, hanging = f"{INDENT}{group.action}  ", " " * len(f"{INDENT}{group.action}  ")
    if len(group.names) > 1:
        return [*wrap(title_of(group), head, hanging), *(f"{hanging}{INDENT}{change}" for change in group.changes)]
    facts = ", ".join(group.changes)
    one_line = f"{head}{title_of(group):<{width}}  {facts}".rstrip()
    if group.action is StepAction.CREATE and len(one_line) <= WIDTH:
        return [one_line]
    return [f"{head}{title_of(group)}", *(f"{hanging}{INDENT}{change}" for change in group.changes)]


def describe_unchanged(steps: Sequence[Step]) -> list[str]:
    names = [step.name for step in steps if step.action is StepAction.NOTHING]
    return wrap(", ".join(names), f"{INDENT}as it is  ", INDENT * 6) if names else []


def describe_reversibility(plan: ReleasePlan) -> list[str]:
    """What the plan's words for the way back mean; empty where there is nothing to do."""
    used = {step.way_back for step in plan.steps if step.action is not StepAction.NOTHING}
    said = [meaning for way_back, meaning in REVERSIBILITY.items() if way_back in used]
    if said:
        return ["Way back: what is not marked can be put back as it was.", *(f"{INDENT}{meaning}" for meaning in said)]
    return [ALL_REVERSIBLE] if used else []


def group_steps(steps: Sequence[Step]) -> list[Group]:
    """Steps that say the same, together, in the order of the first of each."""
    names: dict[tuple[StepAction, Reversibility, tuple[str, ...]], list[str]] = {}
    for step in steps:
        names.setdefault((step.action, step.way_back, step.changes), []).append(step.name)
    return [Group(tuple(same), *said) for said, same in names.items()]


def shared_changes(steps: Sequence[Step]) -> tuple[str, ...]:
    """What every one of several steps says; empty where one step or all of them say nothing else."""
    shared = tuple(change for change in steps[0].changes if all(change in step.changes for step in steps))
    is_worth_it = any(step.changes != shared for step in steps)
    return shared if is_worth_it else ()


def without(changes: Sequence[str], shared: Sequence[str]) -> tuple[str, ...]:
    return tuple(change for change in changes if change not in shared)


def title_of(group: Group) -> str:
    mark = "" if group.way_back is Reversibility.REVERSIBLE else f" ({group.way_back})"
    return ", ".join(group.names) + mark


def wrap_words(text: str, head: str, hanging: str) -> list[str]:
    """Broken between words alone: an ARN has dashes in it, and may be longer than a line."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def wrap(names: str, head: str, hanging: str) -> list[str]:
    """Broken after a comma alone: names of objects have spaces in them."""
    whole = names.replace(" ", NO_BREAK).replace(f",{NO_BREAK}", ", ")
    return [line.replace(NO_BREAK, " ") for line in wrap_words(whole, head, hanging)]
