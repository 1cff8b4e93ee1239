"""What a canary step was judged on, where the operator can see it: a table of the run."""

from collections.abc import Sequence

from prefect.artifacts import create_table_artifact
from prefect.context import TaskRunContext

from delivery.canary import Analysis, Counts, Period, percent
from delivery.environment import Environment
from delivery.manifests import CanaryStep
from delivery.release import Release


def show_evidence(
    environment: Environment, release: Release, step: CanaryStep, periods: Sequence[Period], analysis: Analysis
) -> None:
    """The artifact `canary-<environment>-<weight>`: a row for each closed period, the last one for their sum."""
    if TaskRunContext.get() is None:
        return
    rows = [_row(f"{period.start:%H:%M:%S}", period.stable, period.canary) for period in periods]
    create_table_artifact(
        [*rows, _row("all", analysis.stable, analysis.canary)],
        key=f"canary-{environment.name}-{step.weight_percent}",
        description=f"Release {release.number} at {step.weight_percent} %: {analysis.verdict}, {analysis.reason}",
    )


def _row(period: str, stable: Counts, canary: Counts) -> dict[str, str | int]:
    return {
        "period": period,
        "stable requests": stable.requests,
        "stable failures": stable.failures,
        "canary requests": canary.requests,
        "canary failures": canary.failures,
        "canary success": percent(canary.success_rate) if canary.requests else "no requests",
    }
