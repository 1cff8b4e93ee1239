from datetime import UTC, datetime

from delivery.release import Event, Record
from delivery.rollback.history import describe_unfinished

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def record(sequence: int, step: str, event: Event) -> Record:
    return Record(sequence=sequence, at=AT, step=step, event=event)


def test_a_release_that_ended_leaves_nothing_to_tell() -> None:
    assert describe_unfinished(3, (record(0, "release", Event.STARTED), record(1, "release", Event.ENDED))) is None


def test_a_dead_release_is_told_with_the_step_it_died_in() -> None:
    journal = (record(0, "release", Event.STARTED), record(1, "Canary/20 %", Event.INTENDED))
    assert describe_unfinished(3, journal) == (
        "Release 3 did not end: its process stopped in Canary/20 %, last heard of at 2026-11-24 03:00:00 UTC. "
        "This release goes on from what is there."
    )


def test_a_release_that_died_before_its_first_effect_says_so() -> None:
    told = describe_unfinished(3, (record(0, "release", Event.STARTED),))
    assert told is not None
    assert "before its first effect" in told
