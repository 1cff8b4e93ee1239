"""The names of steps in a journal: `<phase>/<name>` for steps of the plan, and a few more."""

from delivery.plan import Phase
from delivery.rollout.manifests import CanaryStep

LOCK = "Lock"
NOTICES = "Notices"
CANARY = "Canary/"
ABORT = f"{CANARY}abort"
ROLLOUT = "Rollout "


def planned_step(phase: Phase, name: str) -> str:
    """name: of the stack, the topic or the object, as in the plan."""
    return f"{phase}/{name}"


def rollout_step(rollout: str) -> str:
    """Applies a pod template to the Rollout, in a release or in a rollback."""
    return planned_step(Phase.APPLICATION, f"{ROLLOUT}{rollout}")


def canary_step(step: CanaryStep) -> str:
    """The judgement of a canary step, and the end of its pause."""
    return f"{CANARY}{step.name}"


def moves_traffic(step: str) -> bool:
    return step.startswith((CANARY, rollout_step("")))
