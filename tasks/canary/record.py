"""The record of a canary step: a table and a progress bar in the Prefect UI, and the verdict in the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.context import TaskRunContext

from delivery.canary.evidence import Evidence
from delivery.canary.record import describe_judgement, progress_percent, tabulate
from delivery.canary.verdict import Judgement
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, Halted
from delivery.journal.step_names import canary_step
from delivery.release import Event
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.weights import WeightSource
from tasks.runs.artifacts import showing
from tasks.runs.log import progress
from tasks.state.journal import append


@dataclass
class ProgressBar:
    """The artifact `<artifact_key>-progress`, created by the first call of `show`."""

    context: ReleaseContext
    step: CanaryStep
    artifact: UUID | None = None

    def show(self, evidence: Evidence, judgement: Judgement, now: datetime) -> None:
        if TaskRunContext.get() is None:
            return
        done = progress_percent(evidence, judgement, now)
        line = f"Release {self.context.release.number}: {judgement.line}"
        with showing("The progress of the canary step"):
            if self.artifact is None:
                key = f"{artifact_key(self.context.environment, self.step)}-progress"
                self.artifact = cast(UUID, create_progress_artifact(done, key=key, description=line))
            else:
                update_progress_artifact(self.artifact, done, description=line)


def record_judgement(
    context: ReleaseContext,
    step: CanaryStep,
    evidence: Evidence,
    judgement: Judgement,
    weight_sources: Sequence[WeightSource],
    now: datetime,
) -> None:
    """Record the verdict of the step in the log, in the journal and in a table. weight_sources: as read last.

    The verdict applies without its record, so an error of the object store is only reported.
    """
    progress(f"{step.name}  {judgement.analysis.verdict}  {judgement.line}")
    detail = describe_judgement(evidence, judgement, weight_sources, now)
    try:
        append(context, canary_step(step), Event.JUDGED, detail)
    except Halted:
        raise
    except DeliveryError as error:
        progress(f"The verdict is not recorded in the journal, but still applies: {error}")
    show_table(context, step, evidence, judgement)


def show_table(context: ReleaseContext, step: CanaryStep, evidence: Evidence, judgement: Judgement) -> None:
    """The artifact `<artifact_key>`. Outside of a task run, there is none."""
    if TaskRunContext.get() is None:
        return
    verdict = f"{step.name}: {judgement.analysis.verdict}, {judgement.line}"
    with showing("The table of the canary step"):
        create_table_artifact(
            tabulate(evidence, judgement),
            key=artifact_key(context.environment, step),
            description=f"Release {context.release.number} at {verdict}",
        )


def artifact_key(environment: Environment, step: CanaryStep) -> str:
    """`canary-production-20`, or `canary-production-20-pause-2` for a second pause at the same weight."""
    key = f"canary-{environment.name}-{step.weight_percent}"
    return key if step.pause_number == 1 else f"{key}-pause-{step.pause_number}"
