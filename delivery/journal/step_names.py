"""What a release's journal calls its steps: `<phase>/<name>` for what the plan tells, and a few names besides."""

from delivery.plan import Phase
from delivery.rollout.manifests import CanaryStep

LOCK = "Lock"
NOTICES = "Notices"
CANARY = "Canary/"
ABORT = f"{CANARY}abort"
ROLLOUT = "Rollout "


def planned_step(phase: Phase, name: str) -> str:
    """name: of the stack, the topic or the object, as the plan tells it."""
    return f"{phase}/{name}"


def rollout_step(rollout: str) -> str:
    """What brings the Rollout to a template, forward or back."""
    return planned_step(Phase.APPLICATION, f"{ROLLOUT}{rollout}")


def canary_step(step: CanaryStep) -> str:
    """The judgement of a share of the traffic, and the end of its pause."""
    return f"{CANARY}{step.name}"


def moves_traffic(step: str) -> bool:
    return step.startswith((CANARY, rollout_step("")))
