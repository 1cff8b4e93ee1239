from datetime import UTC, datetime
from typing import Any

from delivery.journal.notices import has_notice, read_notices, select_undelivered
from delivery.release import Event, Record


def journal(*entries: tuple[Event, dict[str, Any]]) -> tuple[Record, ...]:
    return tuple(
        Record(sequence=sequence, at=datetime(2026, 1, 1, tzinfo=UTC), step="Notices", event=event, detail=detail)
        for sequence, (event, detail) in enumerate(entries)
    )


PROMOTED = (Event.NOTICE, {"event": "Completed", "text": "All well."})
DELIVERED = (Event.DELIVERED, {"id": "production-7-0", "channel": "webhook"})


def test_a_notification_has_the_same_id_each_time_it_is_read() -> None:
    first, again = (read_notices("production", 7, journal((Event.STARTED, {}), PROMOTED)) for _ in range(2))
    assert first == again
    assert first[0].id == "production-7-1"


def test_a_notification_is_undelivered_until_each_channel_accepted_it() -> None:
    undelivered = select_undelivered("production", 7, journal(PROMOTED, DELIVERED), ["webhook", "slack"])
    assert [(notice.id, channel) for notice, channel in undelivered] == [("production-7-0", "slack")]


def test_a_second_notification_is_not_mistaken_for_the_first() -> None:
    rolled_back = (Event.NOTICE, {"event": "RolledBack", "text": "It failed."})
    undelivered = select_undelivered("production", 7, journal(PROMOTED, DELIVERED, rolled_back), ["webhook"])
    assert [notice.event for notice, _ in undelivered] == ["RolledBack"]


def test_a_notification_is_identified_by_its_event_and_text() -> None:
    assert has_notice(journal(PROMOTED), "Completed", "All well.")
    assert not has_notice(journal(PROMOTED), "Completed", "Almost well.")
