"""Stop requests: for a run that does not have the lock yet, and for a release, which then neither continues nor rolls
back.
"""

import uuid
from pathlib import Path

import pytest
from prefect import flow
from prefect.runtime import flow_run

from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, StopRequested, Unfinished
from delivery.journal.notices import read_notices
from delivery.release import Event
from tasks.rollback.notifications import end_halted_release
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


def test_a_run_that_is_asked_to_stop_while_it_plans_does_not_acquire_the_lock(
    environment: Environment, prefect_server: str
) -> None:
    with pytest.raises(StopRequested, match=r"ana@desk asked .*: the wrong digest\. Nothing was changed"):
        stopped_while_planning(environment)
    assert list_numbers(environment) == ()
    lock = read_lock(environment)
    assert lock is None or lock.is_released


@flow
def release(environment: Environment) -> int:
    with lock_environment(environment, DIGEST, "hash", "release") as context:
        return context.release.number


def test_a_stop_request_for_one_run_does_not_stop_another(environment: Environment, prefect_server: str) -> None:
    request_stop_of_run(environment, str(uuid.uuid4()), "ana@desk", "the wrong digest.")
    assert release(environment) == 1


def stop(context: ReleaseContext, *, has_effect: bool) -> DeliveryError:
    if has_effect:
        append(context, "Topics/views", Event.INTENDED)
        append(context, "Topics/views", Event.DONE)
    return end_halted_release(context, STOP)


def test_a_release_that_stops_before_any_effect_ends_with_the_stop_request(environment: Environment) -> None:
    with lock_environment(environment, DIGEST, "hash", "release") as context:
        assert stop(context, has_effect=False) is STOP


def test_a_stop_names_what_is_kept_and_is_notified_once(environment: Environment) -> None:
    with lock_environment(environment, DIGEST, "hash", "release") as context:
        error = stop(context, has_effect=True)
    assert isinstance(error, Unfinished)
    assert str(error).startswith(
        f"{STOP} These changes of this release stay: Topics/views. The traffic was not changed."
    )
    (notice,) = read_notices("production", context.release.number, read_journal(environment, context.release.number))
    assert (notice.event, notice.text) == ("Unfinished", f"Release 1: {error}")
