"""A stop: of a run that holds nothing yet, and of a release that is neither carried on nor taken back."""

import uuid
from pathlib import Path

import pytest
from prefect import flow
from prefect.runtime import flow_run

from delivery.environment import Environment
from delivery.errors import DeliveryError, StopRequested, Unfinished
from delivery.journal.notices import read_notices
from delivery.release import Event, Release
from tasks.rollback.outcomes import halted
from tasks.state.journal import append, list_numbers, read_journal
from tasks.state.lock import lock_environment, read_lock, request_stop_of_run
from tests.environments import installed

DIGEST = "sha256:" + "b" * 64
STOP = StopRequested("ana@desk asked this release to stop: a sale. No further step was started.")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    return installed(tmp_path, monkeypatch)


@flow
def stopped_while_planning(environment: Environment) -> None:
    request_stop_of_run(environment, str(flow_run.id), "ana@desk", "the wrong digest.")
    with lock_environment(environment, DIGEST, "hash", "release"):
        raise AssertionError


def test_a_run_that_was_asked_to_stop_while_it_planned_takes_nothing(
    environment: Environment, prefect_server: str
) -> None:
    with pytest.raises(StopRequested, match=r"ana@desk asked .*: the wrong digest\. Nothing was begun"):
        stopped_while_planning(environment)
    assert list_numbers(environment) == ()
    lock = read_lock(environment)
    assert lock is None or lock.is_released


@flow
def release(environment: Environment) -> int:
    with lock_environment(environment, DIGEST, "hash", "release") as held:
        return held.number


def test_a_stop_of_one_run_lets_another_one_go_on(environment: Environment, prefect_server: str) -> None:
    request_stop_of_run(environment, str(uuid.uuid4()), "ana@desk", "the wrong digest.")
    assert release(environment) == 1


def stop(environment: Environment, release: Release, *, has_effect: bool) -> DeliveryError:
    if has_effect:
        append(environment, release, "Topics/views", Event.INTENDED)
        append(environment, release, "Topics/views", Event.DONE)
    return halted(environment, release, STOP)


def test_a_stop_before_any_effect_is_the_releases_end(environment: Environment) -> None:
    with lock_environment(environment, DIGEST, "hash", "release") as held:
        assert stop(environment, held, has_effect=False) is STOP


def test_a_stop_names_what_is_kept_and_is_told_to_the_channels_once(environment: Environment) -> None:
    with lock_environment(environment, DIGEST, "hash", "release") as held:
        error = stop(environment, held, has_effect=True)
    assert isinstance(error, Unfinished)
    assert str(error).startswith(f"{STOP} Kept as this release left them: Topics/views. Traffic was not touched.")
    (notice,) = read_notices("production", held.number, read_journal(environment, held.number))
    assert (notice.event, notice.text) == ("Unfinished", f"Release 1: {error}")
