"""A run that no worker picks up: reported, waited for, and cancelled if that was asked for."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.running import conclude
from cli.screen import Screen
from cli.starting import Start, describe_wait
from clients.prefect.api import PrefectApi
from delivery.outcome import QUEUE_TIMED_OUT

LONG_AGO = datetime.now(UTC) - timedelta(minutes=1)


@flow(name="deploy-production")
def deploy() -> None:
    """Never runs."""


@pytest.fixture
def api(prefect_server: str) -> Iterator[PrefectApi]:
    with temporary_settings({PREFECT_API_URL: prefect_server}):
        yield PrefectApi.connect()


@pytest.fixture
def run(api: PrefectApi) -> Iterator[UUID]:
    """Submitted to a pool that no worker polls."""
    with get_client(sync_client=True) as client:
        name = f"t{uuid.uuid4().hex[:8]}"
        deployment = client.create_deployment(flow_id=client.create_flow(deploy), name=name)
        yield api.submit(f"deploy-production/{name}", {})
        client.delete_deployment(deployment)


def test_without_a_worker_the_pool_and_how_to_start_one_are_reported_once(
    api: PrefectApi, run: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    start = Start(api, submitted=LONG_AGO)
    for _ in range(2):
        start.check(api.read_run(run), Screen())
    said = capsys.readouterr().out
    assert said.startswith("No worker has picked up the run in ")
    assert said.count("no worker polls the work pool 'slipway'. The run is waiting. Start a worker") == 1
    assert "with the same PREFECT_API_URL: slipway worker." in said
    assert api.read_run(run).state_type == "SCHEDULED"


def test_nothing_is_reported_while_a_worker_may_still_come(
    api: PrefectApi, run: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    Start(api).check(api.read_run(run), Screen())
    assert capsys.readouterr().out == ""


def test_a_run_that_no_worker_takes_in_time_is_cancelled(api: PrefectApi, run: UUID) -> None:
    start = Start(api, within=timedelta(seconds=30), submitted=LONG_AGO)
    start.check(api.read_run(run), Screen())
    assert (start.is_cancelled, api.read_run(run).state_type) == (True, "CANCELLED")


def test_a_worker_that_takes_nothing_is_reported_later() -> None:
    assert describe_wait(1, timedelta(seconds=20), "page") == ("busy", "")
    _, sentence = describe_wait(2, timedelta(seconds=90), "http://page")
    assert "although 2 workers poll the work pool 'slipway'" in sentence
    assert "the pool may be paused or at its concurrency limit: http://page." in sentence


def test_the_runs_that_have_not_ended_are_found_by_their_deployment(api: PrefectApi, run: UUID) -> None:
    name = "nowhere"
    assert api.list_unfinished([("deploy-production", name)]) == ()
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment(client.read_flow_run(run).deployment_id or run).name
    assert [found.id for found in api.list_unfinished([("deploy-production", deployment)])] == [run]
    api.cancel(run)
    assert api.list_unfinished([("deploy-production", deployment)]) == ()


def test_a_run_that_was_cancelled_before_it_started_has_changed_nothing(api: PrefectApi, run: UUID) -> None:
    api.cancel(run)
    ended = api.read_run(run)
    code, message = conclude(ended, Screen(), "production", is_cancelled=True)
    assert code == QUEUE_TIMED_OUT
    assert message.startswith("No worker picked it up, so nothing was changed. To start a worker: slipway worker.")
