"""What the worker logs about a run that was refused, stopped or rolled back."""

import logging
from pathlib import Path

import pytest
from prefect import flow

from delivery.errors import Refused, StopRequested, Unavailable
from tasks.rollback.outcomes import end_with_outcome, level_of
from tests.environments import installed


@flow(name="phase")
def phase() -> None:
    raise Unavailable("CloudWatch does not answer.")


@flow(name="fault")
def fault() -> None:
    raise KeyError("no such key")


@flow(name="whole")
@end_with_outcome
def whole(environment: str = "production") -> str:
    phase()
    raise AssertionError


@flow(name="broken")
@end_with_outcome
def broken(environment: str = "production") -> str:
    fault()
    raise AssertionError


@pytest.fixture
def records(
    prefect_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> pytest.LogCaptureFixture:
    installed(tmp_path, monkeypatch)
    caplog.set_level(logging.INFO)
    return caplog


def test_a_delivery_error_is_logged_as_its_message_without_a_traceback(records: pytest.LogCaptureFixture) -> None:
    whole(return_state=True)
    sentences = [record for record in records.records if record.getMessage() == "CloudWatch does not answer."]
    assert [record.levelname for record in sentences] == ["ERROR"]
    assert not any(record.exc_info for record in records.records)
    assert "Finished in state NotStarted" in [record.getMessage() for record in records.records]


def test_any_other_error_keeps_its_traceback(records: pytest.LogCaptureFixture) -> None:
    broken(return_state=True)
    assert any(record.exc_info and isinstance(record.exc_info[1], KeyError) for record in records.records)


def test_a_refusal_and_a_stop_request_are_warnings() -> None:
    assert {level_of(Refused("x")), level_of(StopRequested("x"))} == {logging.WARNING}
    assert level_of(Unavailable("x")) == logging.ERROR
