"""What Prefect does by itself: a run whose heartbeat stopped is marked as crashed."""

from datetime import timedelta
from typing import cast

from prefect.automations import Automation, ChangeFlowRunState, EventTrigger, Posture
from prefect.client.schemas.objects import StateType

from delivery.outcome import OUTCOMES
from deployments.variables import HEARTBEAT_SECONDS

NAME = "slipway: mark runs without a heartbeat as crashed"
TAG = "slipway"
ENDINGS = ("Completed", "Failed", "Cancelled", "Crashed")
# Two heartbeats may be missed.
SILENCE = timedelta(seconds=2.5 * HEARTBEAT_SECONDS)


def install_automation() -> str:
    """The automation, once, whatever stood under its name before. A sentence about what was done."""
    wanted = heartbeat_automation()
    try:
        found = cast(Automation, Automation.read(name=NAME))  # Synchronous outside of an event loop.
    except ValueError:
        wanted.create()
        return f"Automation {NAME!r}: created."
    wanted.id = found.id
    if same(found, wanted):
        return f"Automation {NAME!r}: up to date."
    wanted.update()
    return f"Automation {NAME!r}: brought up to date."


def heartbeat_automation() -> Automation:
    """Matches the runs of our deployments by their tag; others may have a slower heartbeat, and would be killed."""
    crash = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message="The run's heartbeat stopped.", force=False
    )
    return Automation(
        name=NAME,
        description="Its process or machine is gone; the release's hold runs out by itself.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
            for_each={"prefect.resource.id"},
            match={"prefect.resource.id": "prefect.flow-run.*"},  # pyright: ignore[reportArgumentType]
            match_related={"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"},  # pyright: ignore[reportArgumentType]
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{name}" for name in endings())},
        ),
        actions=[crash],
    )


def endings() -> list[str]:
    """The event of a final state bears the state's name, ours included."""
    return sorted({*ENDINGS, *(outcome.state_name for outcome in OUTCOMES)})


def same(found: Automation, wanted: Automation) -> bool:
    fields = ("name", "description", "trigger", "actions", "enabled")
    return all(getattr(found, field) == getattr(wanted, field) for field in fields)
