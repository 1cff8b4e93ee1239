from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import Artifact

from delivery.canary import Counts, Period, judge
from delivery.manifests import CanaryStep
from delivery.release import Release
from tasks.evidence import show_evidence
from tests.environments import production

RELEASE = Release(environment="production", number=7, artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", hold_epoch=1)


def test_a_steps_evidence_is_a_table_with_a_row_for_each_period_and_one_for_all(
    prefect_server: str, tmp_path: Path
) -> None:
    periods = [Period(datetime(2026, 11, 24, 12, minute, tzinfo=UTC), Counts(80), Counts(20, 1)) for minute in (0, 1)]

    @task
    def watch() -> None:
        analysis = judge(periods, min_success_rate=0.95)
        show_evidence(production(tmp_path), RELEASE, CanaryStep(1, 20), periods, analysis)

    @flow
    def roll_out() -> None:
        watch()

    roll_out()
    artifact: Any = Artifact.get("canary-production-20")
    assert artifact.description.startswith("Release 7 at 20 %: pass, 95.00 % of 40 requests succeeded")
    assert str(artifact.data).count("95.00 %") == 3
    assert "12:01:00" in str(artifact.data)
