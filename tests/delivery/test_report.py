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
        who="ana@desk (process 7)",
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


def test_an_ending_is_its_words_and_its_sentence() -> None:
    assert describe_ending("RolledBack", "41 serves.") == "ROLLED BACK  41 serves."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3720, "1 h 02 min")],
)
def test_times_are_as_long_as_they_need_to_be(seconds: float, words: str) -> None:
    assert describe_elapsed(timedelta(seconds=seconds)) == words


def test_an_environment_nobody_released_to_is_free() -> None:
    lines = describe_status("production", None, [], NOW)
    assert lines == ("production is free.", "Nothing was ever released to production.")


def test_a_held_environment_says_by_whom_since_when_and_where_it_is() -> None:
    first, heading, second = describe_status("production", lock(), [release(STARTED, INTENDED)], NOW)
    assert first == (
        "production is held: Release 8 of production, by ana@desk (process 7) since 2026-03-01 11:57:00 UTC: spring, "
        "last sign of it 12 s ago."
    )
    assert heading == "Releases, newest first, each with how things stood when it ended:"
    assert second == "    8  2026-03-01 12:00  1b2c3d4e5f6a  UNDER WAY         in Topics/views  (spring)"


def test_a_hold_that_was_not_renewed_for_long_says_when_it_is_over() -> None:
    late = describe_status("production", lock(), [], NOW + timedelta(seconds=30))[0]
    assert "last sign of it 42 s ago; its process may have died: unless it renews the hold, that is over at 12:" in late


def test_the_newest_release_is_told_with_its_page_in_prefects_ui() -> None:
    newest, older = (replace(release(STARTED, number=number), page=f"http://ui/runs/{number}") for number in (9, 8))
    assert describe_page([newest, older]) == ("Release 9 in Prefect's UI: http://ui/runs/9",)
    assert describe_page([release(STARTED)]) == describe_page([]) == ()


def test_a_stop_that_was_asked_for_is_shown() -> None:
    (first, *_) = describe_status("production", lock(stop=Stop(who="bo@desk", why="the database moves.")), [], NOW)
    assert first.endswith("It was asked to stop by bo@desk: the database moves.")


def test_a_dead_holders_release_is_not_under_way() -> None:
    dead = lock(renewed_at=NOW - timedelta(seconds=71))
    first, _, second = describe_status("production", dead, [release(STARTED, INTENDED)], NOW)
    assert first.startswith("production is free: Release 8 of production")
    assert "stopped without giving it back" in first
    assert "STOPPED           in Topics/views, without an end" in second


def test_a_release_that_ended_shows_its_outcome() -> None:
    ended = ("Lock", Event.ENDED, {"outcome": "RolledBack", "message": "41 serves."})
    *_, line = describe_status("production", lock(is_released=True), [release(STARTED, INTENDED, ended)], NOW)
    assert line.endswith("ROLLED BACK       41 serves.  (spring)")


def test_what_a_release_said_of_itself_is_one_line_without_its_number() -> None:
    ended = ("Lock", Event.ENDED, {"outcome": "Refused", "message": "Release 8: The plan moved.\nIt is now:\n  a"})
    *_, line = describe_status("production", None, [release(STARTED, ended)], NOW)
    assert line.endswith("REFUSED           The plan moved. It is now: a  (spring)")


def test_a_reason_that_nobody_gave_is_not_repeated_at_each_release() -> None:
    nobodys = replace(release(STARTED, number=8), reason=f"{ASKED_FOR_BY} ana@desk")
    *_, line = describe_status("production", None, [nobodys], NOW)
    assert "ana@desk" not in line


def test_the_words_of_releases_stand_in_one_column() -> None:
    ends = [("Lock", Event.ENDED, {"outcome": outcome, "message": "x."}) for outcome in ("RollbackFailed", "Completed")]
    *_, first, second = describe_status("production", None, [release(STARTED, end) for end in ends], NOW)
    assert first.index("x.") == second.index("x.")


def test_a_release_that_stopped_before_its_first_effect_says_so() -> None:
    *_, line = describe_status("production", lock(is_released=True), [release(STARTED)], NOW)
    assert "STOPPED           before it changed anything" in line
