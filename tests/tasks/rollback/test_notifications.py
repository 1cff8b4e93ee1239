"""The channels are notified of each end of a release, with its reason and with the result of the rollback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect import flow

from delivery.context import ReleaseContext
from delivery.errors import (
    ChecksFailed,
    DeliveryError,
    NotPromoted,
    RollbackFailed,
    RolledBack,
    StopRequested,
    Unavailable,
)
from delivery.release import Event
from tasks.rollback.notifications import end_failed_release, notify_promotion, notifying_failure
from tasks.state.journal import append
from tasks.state.lock import lock_environment
from tests.receivers import receiving
from tests.tasks.state.test_notices import DIGEST, with_webhook

pytestmark = pytest.mark.usefixtures("prefect_server")
FAILURE = NotPromoted("91 % succeeded.", is_failure=True)


def notify(store: Path, end: Callable[[ReleaseContext], object]) -> tuple[str, str]:
    """Event and text that the webhook gets for a release that changes the weight of its canary and then ends so."""
    with receiving() as receiver:
        environment = with_webhook(store, receiver.url)

        @flow
        def run_release() -> None:
            with lock_environment(environment, DIGEST, "hash", "try") as context:
                append(context, "Canary/20 %", Event.INTENDED)
                end(context)

        run_release()
        ((body, _),) = receiver.requests
        return body["event"], body["text"]


def test_a_release_that_was_rolled_back_is_reported_with_its_reason_and_its_rollback(tmp_path: Path) -> None:
    def end(context: ReleaseContext) -> None:
        error = end_failed_release(context, FAILURE, "Revision 41 serves all traffic.")
        assert isinstance(error, RolledBack)

    assert notify(tmp_path, end) == (
        "RolledBack",
        "Release 1: 91 % succeeded. Revision 41 serves all traffic.",
    )


def test_a_failed_rollback_is_reported_with_both_reasons(tmp_path: Path) -> None:
    away = Unavailable("The cluster does not answer.")

    def end(context: ReleaseContext) -> None:
        assert isinstance(end_failed_release(context, FAILURE, away), RollbackFailed)

    assert notify(tmp_path, end) == (
        "RollbackFailed",
        "Release 1: 91 % succeeded. The cluster does not answer.",
    )


def test_an_unexpected_error_rolls_the_release_back_and_is_reported_by_its_type(tmp_path: Path) -> None:
    def end(context: ReleaseContext) -> None:
        end_failed_release(context, KeyError("phase"), "Revision 41 serves all traffic.")

    event, text = notify(tmp_path, end)
    assert event == "RolledBack"
    assert "Internal error (KeyError: 'phase'). The traceback is in the flow run's log. Revision 41 serves" in text


def test_a_promoted_release_with_a_failed_check_is_reported(tmp_path: Path) -> None:
    def end(context: ReleaseContext) -> None:
        with pytest.raises(ChecksFailed, match="1 of 4 checks fail"):
            notify_promotion(context, ChecksFailed("1 of 4 checks fail."))

    event, text = notify(tmp_path, end)
    assert event == "ChecksFailed"
    assert text.endswith("serves all traffic of production. 1 of 4 checks fail.")


@pytest.mark.parametrize(
    ("failure", "event"),
    [(Unavailable("The cluster does not answer."), "RollbackFailed"), (StopRequested("Ann asked."), "Unfinished")],
)
def test_a_manual_rollback_that_fails_or_is_stopped_is_reported(tmp_path: Path, failure: Exception, event: str) -> None:
    def end(context: ReleaseContext) -> None:
        with pytest.raises(DeliveryError), notifying_failure(context):
            raise failure

    assert notify(tmp_path, end) == (event, f"Release 1: {failure}")


def test_a_release_that_was_stopped_is_reported_with_the_weight_of_its_canary(tmp_path: Path) -> None:
    stop = StopRequested("Ann asked. The canary stays at 20 %.")

    def end(context: ReleaseContext) -> None:
        assert isinstance(end_failed_release(context, StopRequested("Ann asked."), stop), StopRequested)

    assert notify(tmp_path, end) == ("Unfinished", "Release 1: Ann asked. The canary stays at 20 %.")


def test_a_failure_before_any_effect_is_reported_by_the_name_of_the_final_state(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = with_webhook(tmp_path, receiver.url)

        @flow
        def run_release() -> None:
            with lock_environment(environment, DIGEST, None, "try") as context, notifying_failure(context):
                raise Unavailable("The cluster does not answer.")

        assert run_release(return_state=True).is_failed()
        ((body, _),) = receiver.requests
    assert (body["event"], body["text"]) == ("NotStarted", "Release 1: The cluster does not answer.")
