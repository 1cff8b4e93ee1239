from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow, task
from prefect.artifacts import Artifact

from clients.prefect.api import PrefectApi
from delivery.canary.counts import Counts, Period
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import judge_pause
from delivery.context import ReleaseContext
from delivery.release import Event, Release
from delivery.rollout.manifests import CanaryStep
from delivery.rollout.weights import WeightSource
from tasks.canary.record import ProgressBar, record_judgement
from tasks.state.journal import read_journal
from tests.environments import production, production_policy

RELEASE = Release(
    environment="production",
    number=7,
    nonce="1",
    artifact_digest=f"sha256:{'a' * 64}",
    plan_hash="p",
    lock_epoch=1,
)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
EVIDENCE = Evidence.begin(production_policy(), 20, NOON).observe(Period(NOON, Counts(80), Counts(20, 1)))
JUDGEMENT = judge_pause(EVIDENCE, LATER)
STEP = CanaryStep(1, 20)


def run_in_task(action: Callable[[], None]) -> UUID:
    """Call the action in a task of a new flow run. Returns the id of the flow run."""

    @flow
    def roll_out() -> None:
        task(action)()

    run = roll_out(return_state=True).state_details.flow_run_id
    assert run
    return run


def test_a_step_has_a_table_a_progress_bar_and_a_record_in_the_journal(prefect_server: str, tmp_path: Path) -> None:
    environment = production(tmp_path)
    context = ReleaseContext(environment, RELEASE)

    def watch() -> None:
        bar = ProgressBar(context, STEP)
        for now in (NOON, LATER):
            bar.show(EVIDENCE, JUDGEMENT, now)
        record_judgement(context, STEP, EVIDENCE, JUDGEMENT, [WeightSource("listener rule 1", 20.0)], LATER)

    run_in_task(watch)
    table: Any = Artifact.get("canary-production-20")
    counted = "20 %: 80 requests to the stable revision, 20 to the canary; "
    assert table.description.startswith(f"Release 7 at 20 %: inconclusive, {counted}")
    assert "5.00 %" in str(table.data)
    bar: Any = Artifact.get("canary-production-20-progress")
    assert bar.description.startswith(f"Release 7: {counted}")
    assert 0 < bar.data < 10
    (record,) = read_journal(environment, 7)
    assert (record.event, record.step) == (Event.JUDGED, "Canary/20 %")
    assert record.detail["read_back"] == {"listener rule 1": 20.0}


def test_a_second_pause_at_a_weight_has_its_own_artifacts(prefect_server: str, tmp_path: Path) -> None:
    environment = production(tmp_path)
    context = ReleaseContext(environment, RELEASE)
    again = replace(STEP, pause_index=3, pause_number=2)

    def watch() -> None:
        for step in (STEP, again):
            ProgressBar(context, step).show(EVIDENCE, JUDGEMENT, LATER)
            record_judgement(context, step, EVIDENCE, JUDGEMENT, [], LATER)

    run, api = run_in_task(watch), PrefectApi(prefect_server)
    for key in ("canary-production-20", "canary-production-20-pause-2"):
        assert api.read_artifact(run, key)
        assert api.read_artifact(run, f"{key}-progress")
    assert [record.step for record in read_journal(environment, 7)] == ["Canary/20 %", "Canary/20 %, pause 2"]


def test_a_verdict_applies_although_the_journal_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    environment = production(tmp_path)
    folder = tmp_path / "releases" / "production" / "7"
    folder.mkdir(parents=True)
    (folder / "journal").touch()  # A file, so no record can be written below it.
    record_judgement(ReleaseContext(environment, RELEASE), STEP, EVIDENCE, JUDGEMENT, [], LATER)
    assert "The verdict is not recorded in the journal, but still applies: file://" in caplog.text
