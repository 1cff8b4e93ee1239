"""A release as data: what it will do, step by step, before anything is touched."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.errors import Refused


class Phase(StrEnum):
    """In the order they are carried out; also the headings the operator reads."""

    STACKS = "Infrastructure"
    ADDONS = "Cluster add-ons"
    TOPICS = "Topics"
    SETTINGS = "Connection settings"
    APPLICATION = "Application"


class StepAction(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    NOTHING = "nothing to do"


class Reversibility(StrEnum):
    REVERSIBLE = "reversible"
    COSTLY = "costly"
    NONE = "no way back"


class Access(BaseModel):
    """What somebody may do and could not before. says: as the operator reads it; the rest is the statement in full.

    resource: logical id of where it stands. who: empty where it is whoever carries the policy. under: its conditions.
    is_denial_gone: it was denied before, and is not any more.
    """

    model_config = ConfigDict(frozen=True)

    says: str
    resource: str
    what: tuple[str, ...]
    who: str = ""
    on: str = ""
    under: dict[str, Any] = {}
    is_denial_gone: bool = False


class Step(BaseModel):
    """One thing a release brings to its specification. changes: a line each, as the operator reads them.

    widens: each access that is given and was not before.
    """

    model_config = ConfigDict(frozen=True)

    phase: Phase
    name: str
    action: StepAction
    way_back: Reversibility = Reversibility.REVERSIBLE
    changes: tuple[str, ...] = ()
    widens: tuple[Access, ...] = ()


class PartPlan(BaseModel):
    """What one part of the plan found. refusals: a sentence each; one is enough to stop the release.

    findings: a sentence each on what is there besides, and stays.
    """

    model_config = ConfigDict(frozen=True)

    steps: tuple[Step, ...] = ()
    refusals: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class ReleasePlan(BaseModel):
    """The steps of a release in order. findings: what the operator should know of the state it starts from.

    canary: a revision that served before is to be judged like a new one.
    """

    model_config = ConfigDict(frozen=True)

    environment: str
    artifact_digest: str
    steps: tuple[Step, ...]
    findings: tuple[str, ...] = ()
    canary: bool = False

    @property
    def hash(self) -> str:
        """The same for the same environment, artifact and steps, whatever was found besides."""
        text = self.model_dump_json(include={"environment", "artifact_digest", "steps"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_nothing_to_do(self) -> bool:
        return all(step.action is StepAction.NOTHING for step in self.steps)

    def of(self, phase: Phase) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.phase is phase)


def join_plan(
    environment: str, artifact_digest: str, parts: Iterable[PartPlan], findings: Iterable[str], *, canary: bool = False
) -> ReleasePlan:
    """All parts' steps as one plan.

    Raises Refused with every part's refusals, so that the operator mends them all at once.
    """
    parts = tuple(parts)
    refusals = [refusal for part in parts for refusal in part.refusals]
    if refusals:
        raise Refused(*refusals)
    steps = tuple(step for part in parts for step in part.steps)
    found = (*findings, *(finding for part in parts for finding in part.findings))
    asked = {"environment": environment, "artifact_digest": artifact_digest, "canary": canary}
    return ReleasePlan(**asked, steps=steps, findings=found)


def sum_up(plan: ReleasePlan) -> str:
    """`Plan 1f2e…: 2 to create, 1 to change, 20 as planned.`."""
    counted = {action: sum(step.action is action for step in plan.steps) for action in StepAction}
    told = [f"{counted[action]} to {action}" for action in (StepAction.CREATE, StepAction.CHANGE) if counted[action]]
    return f"Plan {plan.hash}: {', '.join([*told, f'{counted[StepAction.NOTHING]} as planned'])}."


def describe_nothing_to_do(plan: ReleasePlan) -> str:
    """That everything is there already, and how much that is."""
    counted = ", ".join(f"{phase.lower()} {len(plan.of(phase))}" for phase in Phase)
    return f"{plan.environment} is as {plan.artifact_digest} needs it, nothing was touched. As planned: {counted}."
