"""The plan of a release: its steps in order, decided before anything is changed."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.errors import Refused


class Phase(StrEnum):
    """The phases of a release in the order of execution. Each value is a heading of the plan."""

    STACKS = "Infrastructure"
    ADDONS = "Cluster add-ons"
    TOPICS = "Topics"
    SETTINGS = "Connection settings"
    APPLICATION = "Application"


class StepAction(StrEnum):
    """What a step does."""

    CREATE = "create"
    CHANGE = "change"
    NOTHING = "nothing to do"


class Reversibility(StrEnum):
    """What it costs to undo a step."""

    REVERSIBLE = "reversible"
    COSTLY = "costly to undo"
    IRREVERSIBLE = "irreversible"


class Access(BaseModel):
    """One access that a step grants: of one IAM statement, or of one rule of a security group."""

    model_config = ConfigDict(frozen=True)

    says: str
    """One sentence, as the plan prints it. The other fields are the same access in full."""
    resource: str
    """Logical id of the resource that has the statement or the rule."""
    what: tuple[str, ...]
    """IAM actions, or ports."""
    who: str = ""
    """The principal or the source. Empty if the statement belongs to an identity-based policy."""
    on: str = ""
    """The resource of the statement, or the security group."""
    under: dict[str, Any] = {}
    """The conditions of the statement."""
    is_denial_gone: bool = False
    """Whether the step removes a Deny statement. Otherwise it adds an Allow statement or a rule."""


class Step(BaseModel):
    """One thing that a release creates or changes so that it matches its specification."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    name: str
    action: StepAction
    reversibility: Reversibility = Reversibility.REVERSIBLE
    changes: tuple[str, ...] = ()
    """One line for each change, as the plan prints it."""
    widens: tuple[Access, ...] = ()
    """The access that the step grants and that did not exist before."""


class PartPlan(BaseModel):
    """The plan of one phase."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[Step, ...] = ()
    refusals: tuple[str, ...] = ()
    """The reasons to refuse the release, one or more sentences each. One reason is enough."""
    findings: tuple[str, ...] = ()
    """What the operator should know, one or more sentences each."""


class ReleasePlan(BaseModel):
    """The steps of a release in order."""

    model_config = ConfigDict(frozen=True)

    environment: str
    artifact_digest: str
    steps: tuple[Step, ...]
    findings: tuple[str, ...] = ()
    """What the operator should know about the state before the release, one or more sentences each."""
    canary: bool = False
    """Whether an artifact digest that served before is released with a canary, like a new one."""

    @property
    def hash(self) -> str:
        """The plan hash. It depends on environment, artifact digest and steps, not on the findings."""
        text = self.model_dump_json(include={"environment", "artifact_digest", "steps"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_nothing_to_do(self) -> bool:
        return all(step.action is StepAction.NOTHING for step in self.steps)

    def steps_of(self, phase: Phase) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.phase is phase)


def join_plan(
    environment_name: str,
    artifact_digest: str,
    parts: Iterable[PartPlan],
    findings: Iterable[str],
    *,
    canary: bool = False,
) -> ReleasePlan:
    """One plan with the steps and findings of all parts.

    Raises Refused with the refusals of all parts, so that the operator can fix them together.
    """
    parts = tuple(parts)
    refusals = [refusal for part in parts for refusal in part.refusals]
    if refusals:
        raise Refused(*refusals)
    return ReleasePlan(
        environment=environment_name,
        artifact_digest=artifact_digest,
        steps=tuple(step for part in parts for step in part.steps),
        findings=(*findings, *(finding for part in parts for finding in part.findings)),
        canary=canary,
    )


def summarize(plan: ReleasePlan) -> str:
    """`Plan 1f2e…: 2 to create, 1 to change, 20 unchanged.`."""
    count = {action: sum(step.action is action for step in plan.steps) for action in StepAction}
    actions = [f"{count[action]} to {action}" for action in (StepAction.CREATE, StepAction.CHANGE) if count[action]]
    return f"Plan {plan.hash}: {', '.join([*actions, f'{count[StepAction.NOTHING]} unchanged'])}."


def describe_nothing_to_do(plan: ReleasePlan) -> str:
    """That the environment already matches the plan, with the number of steps of each phase."""
    counts = ", ".join(f"{phase.lower()} {len(plan.steps_of(phase))}" for phase in Phase)
    return f"{plan.environment} already matches {plan.artifact_digest}. Nothing was changed. Unchanged: {counts}."
