"""Automations: Prefect marks runs without a heartbeat as crashed, and starts the recovery of an orphaned release."""

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
# States after which a canary may be orphaned. A lost lock ends a release as Unfinished, and so does a request to stop,
# after which the recovery has nothing to do.
RECOVERED_STATES = ("Crashed", "Cancelled", UNFINISHED.state_name)
RECOVER = "recover"
# Two heartbeats may be missed.
SILENCE = timedelta(seconds=2.5 * HEARTBEAT_SECONDS)


def install_automations(client: SyncPrefectClient, deployments: Sequence[str]) -> Iterator[str]:
    """Create or update each automation. Yields a sentence about each.

    deployments: FLOW/NAME of all that exist.
    """
    yield install_automation(heartbeat_automation())
    prefix = f"{RECOVER}/"
    environments = (name.removeprefix(prefix) for name in deployments if name.startswith(prefix))
    for environment_name in environments:
        release, recover = (f"deploy-{environment_name}/{environment_name}", f"{prefix}{environment_name}")
        ids = [client.read_deployment_by_name(name).id for name in (release, recover)]
        yield install_automation(recovery_automation(environment_name, *ids))


def install_automation(wanted: Automation) -> str:
    """Create or update it. Returns a sentence about what was done."""
    try:
        found = cast(Automation, Automation.read(name=wanted.name))  # Synchronous outside of an event loop.
    except ValueError:
        wanted.create()
        return f"Automation {wanted.name!r}: created."
    wanted.id = found.id
    if same(found, wanted):
        return f"Automation {wanted.name!r}: up to date."
    wanted.update()
    return f"Automation {wanted.name!r}: updated."


def heartbeat_automation() -> Automation:
    """Matches the runs of our Prefect deployments by their tag: others may have a slower heartbeat."""
    crash = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message="The run's heartbeat stopped.", force=False
    )
    return Automation(
        name=NAME,
        description="Marks a run as crashed if its heartbeat stops.",
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


def name_recovery(environment_name: str) -> str:
    return f"slipway: recover an orphaned release of {environment_name}"


def recovery_automation(environment_name: str, release: UUID, recover: UUID) -> Automation:
    """Starts the deployment `recover` for runs of the deployment `release`, both by their ids."""
    # Prefect parses a plain string that is a single expression as JSON; this marks it as a template.
    why = "the run {{ flow_run.name }} ended {{ flow_run.state.name }}"
    reason = {"__prefect_kind": "jinja", "template": why}
    start = RunDeployment(source="selected", deployment_id=recover, parameters={"reason": reason}, job_variables=None)
    return Automation(
        name=name_recovery(environment_name),
        description="Rolls back the canary of a release whose process died or lost the lock.",
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
            expect={f"prefect.flow-run.{name}" for name in RECOVERED_STATES},
        ),
        actions=[start],
    )


def endings() -> list[str]:
    """The names of all final states, ours included: the event of a final state has its name."""
    return sorted({*ENDINGS, *(outcome.state_name for outcome in OUTCOMES)})


def same(found: Automation, wanted: Automation) -> bool:
    fields = ("name", "description", "trigger", "actions", "enabled")
    return all(getattr(found, field) == getattr(wanted, field) for field in fields)
