from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.journal.lock import LockHolder, LockState, Stop
from delivery.release import Event, Record
from delivery.report import (
    ASKED_FOR_BY,
    ReleaseReport,
    describe_elapsed,
    describe_ending,
    describe_page,
    describe_status,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "1b2c3d4e5f6a" * 5 + "0000"


def lock(**changes: Any) -> LockState:
    holder = LockHolder(
        who="ana@desk, process 7",
        why="spring",
        since=NOW - timedelta(minutes=3),
        artifact_digest=DIGEST,
        lease=timedelta(seconds=60),
        token="t",
    )
    renewed_at = NOW - timedelta(seconds=12)
    state = LockState(environment="production", epoch=4, holder=holder, renewed_at=renewed_at, number=8)
    return state.model_copy(update=changes)


def release(*events: tuple[str, Event, dict[str, Any]], number: int = 8) -> ReleaseReport:
    records = (
        Record(sequence=sequence, at=NOW, step=step, event=event, detail=detail)
        for sequence, (step, event, detail) in enumerate(events)
    )
    return ReleaseReport(number, DIGEST, "spring", tuple(records))


STARTED = ("Lock", Event.STARTED, {})
INTENDED = ("Topics/views", Event.INTENDED, {})


def test_an_ending_is_the_state_in_capitals_and_the_message() -> None:
    assert describe_ending("RolledBack", "41 serves.") == "ROLLED BACK  41 serves."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3720, "1 h 02 min")],
)
def test_times_are_as_long_as_they_need_to_be(seconds: float, text: str) -> None:
    assert describe_elapsed(timedelta(seconds=seconds)) == text


def test_an_environment_without_releases_is_not_locked() -> None:
    lines = describe_status("production", None, [], NOW)
    assert lines == ("production is not locked.", "production has no releases yet.")


def test_a_locked_environment_shows_who_locked_it_since_when_and_the_step() -> None:
    first, heading, second = describe_status("production", lock(), [release(STARTED, INTENDED)], NOW)
    assert first == (
        "production is locked by release 8 (ana@desk, process 7, since 2026-03-01 11:57:00 UTC, reason: spring). "
        "The lock was renewed 12 s ago."
    )
    assert heading == "Releases, newest first. The message of a release that ended describes the state at its end:"
    assert second == "    8  2026-03-01 12:00  1b2c3d4e5f6a  IN PROGRESS      step Topics/views  (spring)"


def test_a_lock_that_was_not_renewed_for_long_shows_when_it_expires() -> None:
    late = describe_status("production", lock(), [], NOW + timedelta(seconds=30))[0]
    assert late.endswith(
        "The lock was renewed 42 s ago. The process may have died: without a renewal, the lock expires at 12:00:58 UTC."
    )


def test_the_newest_release_has_a_link_to_its_page_in_the_prefect_ui() -> None:
    newest, older = (replace(release(STARTED, number=number), page=f"http://ui/runs/{number}") for number in (9, 8))
    assert describe_page([newest, older]) == ("Release 9 in the Prefect UI: http://ui/runs/9",)
    assert describe_page([release(STARTED)]) == describe_page([]) == ()


def test_a_stop_request_is_shown() -> None:
    (first, *_) = describe_status("production", lock(stop=Stop(who="bo@desk", why="the database moves.")), [], NOW)
    assert first.endswith("bo@desk asked this release to stop: the database moves.")


def test_a_release_whose_lock_expired_is_not_in_progress() -> None:
    dead = lock(renewed_at=NOW - timedelta(seconds=71))
    first, _, second = describe_status("production", dead, [release(STARTED, INTENDED)], NOW)
    assert first == (
        "production is not locked. The lock of release 8 (ana@desk, process 7, since 2026-03-01 11:57:00 UTC, "
        "reason: spring) expired and was not released; it was last renewed 1 min 11 s ago."
    )
    assert (
        "NO END RECORDED  The process died, or could not record its end. The last step was Topics/views. If a canary "
        "is in progress: slipway recover production" in second
    )


def test_a_release_that_ended_shows_its_outcome() -> None:
    ended = ("Lock", Event.ENDED, {"outcome": "RolledBack", "message": "41 serves."})
    *_, line = describe_status("production", lock(is_released=True), [release(STARTED, INTENDED, ended)], NOW)
    assert line.endswith("ROLLED BACK      41 serves.  (spring)")


def test_the_message_of_a_release_is_one_line_without_its_number() -> None:
    ended = ("Lock", Event.ENDED, {"outcome": "Refused", "message": "Release 8: The plan moved.\nIt is now:\n  a"})
    *_, line = describe_status("production", None, [release(STARTED, ended)], NOW)
    assert line.endswith("REFUSED          The plan moved. It is now: a  (spring)")


def test_the_default_reason_is_not_shown_for_a_release() -> None:
    without_reason = replace(release(STARTED, number=8), reason=f"{ASKED_FOR_BY} ana@desk")
    *_, line = describe_status("production", None, [without_reason], NOW)
    assert "ana@desk" not in line


def test_the_messages_of_releases_are_in_one_column() -> None:
    ends = [("Lock", Event.ENDED, {"outcome": outcome, "message": "x."}) for outcome in ("RollbackFailed", "Completed")]
    *_, first, second = describe_status("production", None, [release(STARTED, end) for end in ends], NOW)
    assert first.index("x.") == second.index("x.")


def test_a_release_without_an_end_or_an_effect_changed_nothing() -> None:
    *_, line = describe_status("production", lock(is_released=True), [release(STARTED)], NOW)
    assert "NO END RECORDED  Nothing was changed." in line
