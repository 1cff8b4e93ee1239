"""What a canary step is judged on, where the operator can see it: a table and a progress bar of the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.context import TaskRunContext

from delivery.canary.evidence import Evidence
from delivery.canary.record import describe_judgement, progress_percent, tabulate
from delivery.canary.verdict import Move
from delivery.environment import Environment
from delivery.errors import DeliveryError, Halted
from delivery.journal.step_names import canary_step
from delivery.release import Event, Release
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.weights import WeightSource
from tasks.runs.artifacts import showing
from tasks.runs.log import progress
from tasks.state.journal import append


@dataclass
class ProgressBar:
    """The artifact `<artifact_key>-progress`, made when it is first shown."""

    environment: Environment
    release: Release
    step: CanaryStep
    artifact: UUID | None = None

    def show(self, evidence: Evidence, move: Move, now: datetime) -> None:
        if TaskRunContext.get() is None:
            return
        done, line = progress_percent(evidence, move, now), f"Release {self.release.number}, {move.line}"
        with showing("The step's progress"):
            if self.artifact is None:
                key = f"{artifact_key(self.environment, self.step)}-progress"
                self.artifact = cast(UUID, create_progress_artifact(done, key=key, description=line))
            else:
                update_progress_artifact(self.artifact, done, description=line)


def record_judgement(
    environment: Environment,
    release: Release,
    step: CanaryStep,
    evidence: Evidence,
    move: Move,
    weight_sources: Sequence[WeightSource],
    now: datetime,
) -> None:
    """Record the verdict of the step: in the log, in the journal and as a table. weight_sources: as read last.

    The verdict holds without its record: a store that does not take it is told of, never raised.
    """
    progress(f"{step.name}  {move.analysis.verdict}  {move.line}")
    detail = describe_judgement(evidence, move, weight_sources, now)
    try:
        append(environment, release, canary_step(step), Event.JUDGED, detail)
    except Halted:
        raise
    except DeliveryError as error:
        progress(f"The journal lacks this verdict, which holds all the same: {error}")
    show_table(environment, release, step, evidence, move)


def show_table(environment: Environment, release: Release, step: CanaryStep, evidence: Evidence, move: Move) -> None:
    """The artifact `<artifact_key>`; nothing outside of a run."""
    said = f"{step.name}: {move.analysis.verdict}, {move.line}"
    if TaskRunContext.get() is not None:
        with showing("The step's table"):
            create_table_artifact(
                tabulate(evidence, move),
                key=artifact_key(environment, step),
                description=f"Release {release.number} at {said}",
            )


def artifact_key(environment: Environment, step: CanaryStep) -> str:
    """`canary-production-20`, and of another pause at the same share `canary-production-20-pause-2`."""
    key = f"canary-{environment.name}-{step.weight_percent}"
    return key if step.turn == 1 else f"{key}-pause-{step.turn}"
