from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, task
from prefect.artifacts import Artifact

from clients.prefect.api import PrefectApi
from delivery.canary.counts import Counts, Period
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import next_move
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
MOVE = next_move(EVIDENCE, LATER)
STEP = CanaryStep(1, 20)


def test_a_step_is_shown_as_a_table_and_as_progress_and_is_kept_in_the_journal(
    prefect_server: str, tmp_path: Path
) -> None:
    environment = production(tmp_path)

    @task
    def watch() -> None:
        bar = ProgressBar(environment, RELEASE, STEP)
        for now in (NOON, LATER):
            bar.show(EVIDENCE, MOVE, now)
        record_judgement(environment, RELEASE, STEP, EVIDENCE, MOVE, [WeightSource("listener rule 1", 20.0)], LATER)

    @flow
    def roll_out() -> None:
        watch()

    roll_out()
    table: Any = Artifact.get("canary-production-20")
    assert table.description.startswith("Release 7 at 20 %: inconclusive, 20 %: stable 80, canary 20 requests")
    assert "5.00 %" in str(table.data)
    bar: Any = Artifact.get("canary-production-20-progress")
    assert 0 < bar.data < 10
    (record,) = read_journal(environment, 7)
    assert (record.event, record.step, record.detail["read_back"]) == (
        Event.JUDGED,
        "Canary/20 %",
        {"listener rule 1": 20.0},
    )


def test_a_second_pause_at_a_share_hides_nothing_of_the_first(prefect_server: str, tmp_path: Path) -> None:
    environment = production(tmp_path)
    again = replace(STEP, pause_index=3, turn=2)

    @task
    def watch() -> None:
        for step in (STEP, again):
            ProgressBar(environment, RELEASE, step).show(EVIDENCE, MOVE, LATER)
            record_judgement(environment, RELEASE, step, EVIDENCE, MOVE, [], LATER)

    @flow
    def roll_out_twice() -> None:
        watch()

    run = roll_out_twice(return_state=True).state_details.flow_run_id
    assert run
    api = PrefectApi(prefect_server)
    for key in ("canary-production-20", "canary-production-20-pause-2"):
        assert api.read_artifact(run, key)
        assert api.read_artifact(run, f"{key}-progress")
    assert [record.step for record in read_journal(environment, 7)] == ["Canary/20 %", "Canary/20 %, pause 2"]


def test_a_journal_that_is_away_does_not_undo_a_verdict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    environment = production(tmp_path)
    folder = tmp_path / "releases" / "production" / "7"
    folder.mkdir(parents=True)
    (folder / "journal").touch()  # No record can be written below a file.
    record_judgement(environment, RELEASE, STEP, EVIDENCE, MOVE, [], LATER)
    assert "The journal lacks this verdict, which holds all the same: file://" in caplog.text
