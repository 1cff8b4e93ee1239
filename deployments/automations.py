"""What Prefect does by itself: a run without a heartbeat is marked as crashed, a release that died is recovered."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from prefect.automations import Automation, ChangeFlowRunState, EventTrigger, Posture, RunDeployment
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType

from delivery.outcome import OUTCOMES, UNFINISHED
from deployments.variables import HEARTBEAT_SECONDS

NAME = "slipway: mark runs without a heartbeat as crashed"
TAG = "slipway"
ENDINGS = ("Completed", "Failed", "Cancelled", "Crashed")
# After which nobody may be looking after a canary: a lost hold ends a release as unfinished, and so does a request to
# stop, of which the recovery finds that it has nothing to do.
LEFT = ("Crashed", "Cancelled", UNFINISHED.state_name)
RECOVER = "recover/"
# Two heartbeats may be missed.
SILENCE = timedelta(seconds=2.5 * HEARTBEAT_SECONDS)


def install_automations(client: SyncPrefectClient, deployments: Sequence[str]) -> Iterator[str]:
    """Each once, whatever stood under its name before. A sentence about each.

    deployments: FLOW/NAME of all that are there.
    """
    yield install_automation(heartbeat_automation())
    environments = (name.removeprefix(RECOVER) for name in deployments if name.startswith(RECOVER))
    for environment in environments:
        release, recover = (f"deploy-{environment}/{environment}", f"{RECOVER}{environment}")
        ids = [client.read_deployment_by_name(name).id for name in (release, recover)]
        yield install_automation(recovery_automation(environment, *ids))


def install_automation(wanted: Automation) -> str:
    """A sentence about what was done."""
    try:
        found = cast(Automation, Automation.read(name=wanted.name))  # Synchronous outside of an event loop.
    except ValueError:
        wanted.create()
        return f"Automation {wanted.name!r}: created."
    wanted.id = found.id
    if same(found, wanted):
        return f"Automation {wanted.name!r}: up to date."
    wanted.update()
    return f"Automation {wanted.name!r}: brought up to date."


def heartbeat_automation() -> Automation:
    """Matches the runs of our deployments by their tag; others may have a slower heartbeat, and would be killed."""
    crash = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message="The run's heartbeat stopped.", force=False
    )
    return Automation(
        name=NAME,
        description="Its process or machine is gone; the release's lock expires by itself.",
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


def recovery_automation(environment: str, release: UUID, recover: UUID) -> Automation:
    """Starts the deployment `recover` for runs of the deployment `release`, both by their ids."""
    # Prefect takes a plain string that is one expression for JSON; this names what it is.
    why = "the run {{ flow_run.name }} ended {{ flow_run.state.name }}"
    reason = {"__prefect_kind": "jinja", "template": why}
    start = RunDeployment(source="selected", deployment_id=recover, parameters={"reason": reason}, job_variables=None)
    return Automation(
        name=f"slipway: recover an orphaned release of {environment}",
        description="Its process died or lost the lock; its canary is rolled back.",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(),
            for_each={"prefect.resource.id"},
            match={"prefect.resource.id": "prefect.flow-run.*"},  # pyright: ignore[reportArgumentType]
            match_related={
                "prefect.resource.role": "deployment",
                "prefect.resource.id": f"prefect.deployment.{release}",
            },  # pyright: ignore[reportArgumentType]
            expect={f"prefect.flow-run.{name}" for name in LEFT},
        ),
        actions=[start],
    )


def endings() -> list[str]:
    """The event of a final state bears the state's name, ours included."""
    return sorted({*ENDINGS, *(outcome.state_name for outcome in OUTCOMES)})


def same(found: Automation, wanted: Automation) -> bool:
    fields = ("name", "description", "trigger", "actions", "enabled")
    return all(getattr(found, field) == getattr(wanted, field) for field in fields)
