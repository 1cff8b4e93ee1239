from datetime import UTC, datetime
from typing import Any

from delivery.journal.notices import has_notice, read_notices, undelivered
from delivery.release import Event, Record


def journal(*entries: tuple[Event, dict[str, Any]]) -> tuple[Record, ...]:
    return tuple(
        Record(sequence=sequence, at=datetime(2026, 1, 1, tzinfo=UTC), step="Notices", event=event, detail=detail)
        for sequence, (event, detail) in enumerate(entries)
    )


PROMOTED = (Event.NOTICE, {"event": "Completed", "text": "All well."})


def test_a_notice_has_the_same_id_however_often_it_is_read() -> None:
    first, again = (read_notices("production", 7, journal((Event.STARTED, {}), PROMOTED)) for _ in range(2))
    assert first == again
    assert first[0].id == "production-7-1"


def test_a_notice_is_undelivered_until_each_channel_took_it() -> None:
    taken = (Event.DELIVERED, {"id": "production-7-0", "channel": "webhook"})
    sent = undelivered("production", 7, journal(PROMOTED, taken), ["webhook", "slack"])
    assert [(notice.id, channel) for notice, channel in sent] == [("production-7-0", "slack")]


def test_a_second_notice_is_not_taken_for_the_first() -> None:
    rolled_back = (Event.NOTICE, {"event": "RolledBack", "text": "It failed."})
    taken = (Event.DELIVERED, {"id": "production-7-0", "channel": "webhook"})
    sent = undelivered("production", 7, journal(PROMOTED, taken, rolled_back), ["webhook"])
    assert [notice.event for notice, _ in sent] == ["RolledBack"]


def test_a_notice_is_known_by_its_event_and_text() -> None:
    assert has_notice(journal(PROMOTED), "Completed", "All well.")
    assert not has_notice(journal(PROMOTED), "Completed", "Almost well.")
