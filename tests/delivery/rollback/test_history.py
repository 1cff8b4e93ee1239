from datetime import UTC, datetime

from delivery.release import Event, Record
from delivery.rollback.history import describe_unfinished

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def record(sequence: int, step: str, event: Event) -> Record:
    return Record(sequence=sequence, at=AT, step=step, event=event)


def test_a_release_that_ended_is_not_reported() -> None:
    assert describe_unfinished(3, (record(0, "release", Event.STARTED), record(1, "release", Event.ENDED))) is None


def test_a_release_without_an_end_is_reported_with_the_step_in_which_its_process_died() -> None:
    journal = (record(0, "release", Event.STARTED), record(1, "Canary/20 %", Event.INTENDED))
    assert describe_unfinished(3, journal) == (
        "Release 3 has no recorded end. Its process died during Canary/20 % (last record 2026-11-24 03:00:00 UTC). "
        "A release continues from the current state."
    )


def test_a_release_whose_process_died_before_its_first_change_is_reported_as_such() -> None:
    sentence = describe_unfinished(3, (record(0, "release", Event.STARTED),))
    assert sentence is not None
    assert "before its first change" in sentence
