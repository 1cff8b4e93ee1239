"""However a release ends, its channels hear of it, with the reason and what became of the way back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect import flow

from delivery.environment import Environment
from delivery.errors import (
    ChecksFailed,
    DeliveryError,
    NotPromoted,
    RollbackFailed,
    RolledBack,
    StopRequested,
    Unavailable,
)
from delivery.release import Event, Release
from tasks.rollback.outcomes import failed, notifying_failure, promoted
from tasks.state.journal import append
from tasks.state.lock import lock_environment
from tests.receivers import receiving
from tests.tasks.state.test_notices import DIGEST, telling

pytestmark = pytest.mark.usefixtures("prefect_server")
BAD = NotPromoted("91 % succeeded.", is_failure=True)


def told(store: Path, end: Callable[[Environment, Release], object]) -> tuple[str, str]:
    """The event and the text that the webhook got of a release that moved traffic and then ended so."""
    with receiving() as receiver:
        environment = telling(store, receiver.url)

        @flow
        def release_it() -> None:
            with lock_environment(environment, DIGEST, "hash", "try") as release:
                append(environment, release, "Canary/20 %", Event.INTENDED)
                end(environment, release)

        release_it()
        ((body, _),) = receiver.taken
        return body["event"], body["text"]


def test_a_release_taken_back_is_told_with_its_reason_and_its_way_back(tmp_path: Path) -> None:
    def end(environment: Environment, release: Release) -> None:
        error = failed(environment, release, BAD, "Revision 41 serves all traffic.")
        assert isinstance(error, RolledBack)

    assert told(tmp_path, end) == (
        "RolledBack",
        "Release 1: 91 % succeeded. Revision 41 serves all traffic.",
    )


def test_a_way_back_that_failed_is_told_with_both_reasons(tmp_path: Path) -> None:
    away = Unavailable("The cluster does not answer.")

    def end(environment: Environment, release: Release) -> None:
        assert isinstance(failed(environment, release, BAD, away), RollbackFailed)

    assert told(tmp_path, end) == (
        "RollbackFailed",
        "Release 1: 91 % succeeded. The cluster does not answer.",
    )


def test_a_fault_of_ours_takes_the_release_back_and_is_told_by_its_type(tmp_path: Path) -> None:
    def end(environment: Environment, release: Release) -> None:
        failed(environment, release, KeyError("phase"), "Revision 41 serves all traffic.")

    event, text = told(tmp_path, end)
    assert event == "RolledBack"
    assert "A fault in Slipway itself, KeyError: 'phase'. Revision 41 serves all traffic." in text


def test_a_promoted_release_that_does_not_look_as_planned_is_told(tmp_path: Path) -> None:
    def end(environment: Environment, release: Release) -> None:
        with pytest.raises(ChecksFailed, match="1 of 4 checks fail"):
            promoted(environment, release, ChecksFailed("1 of 4 checks fail."))

    event, text = told(tmp_path, end)
    assert event == "ChecksFailed"
    assert text.endswith("serves all traffic of production. 1 of 4 checks fail.")


@pytest.mark.parametrize(
    ("failure", "event"),
    [(Unavailable("The cluster does not answer."), "RollbackFailed"), (StopRequested("Ann asked."), "Unfinished")],
)
def test_a_roll_back_by_hand_that_does_not_arrive_is_told(tmp_path: Path, failure: Exception, event: str) -> None:
    def end(environment: Environment, release: Release) -> None:
        with pytest.raises(DeliveryError), notifying_failure(environment, release):
            raise failure

    assert told(tmp_path, end) == (event, f"Release 1: {failure}")


def test_a_release_that_was_asked_to_stop_is_told_with_where_the_canary_stays(tmp_path: Path) -> None:
    stays = StopRequested("Ann asked. The canary stays at 20 %.")

    def end(environment: Environment, release: Release) -> None:
        assert isinstance(failed(environment, release, StopRequested("Ann asked."), stays), StopRequested)

    assert told(tmp_path, end) == ("Unfinished", "Release 1: Ann asked. The canary stays at 20 %.")


def test_a_failure_before_any_effect_is_told_by_the_name_that_its_run_ends_by(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = telling(tmp_path, receiver.url)

        @flow
        def release_it() -> None:
            with lock_environment(environment, DIGEST, None, "try") as release, notifying_failure(environment, release):
                raise Unavailable("The cluster does not answer.")

        assert release_it(return_state=True).is_failed()
        ((body, _),) = receiver.taken
    assert (body["event"], body["text"]) == ("NotStarted", "Release 1: The cluster does not answer.")
