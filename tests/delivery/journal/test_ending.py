from datetime import UTC, datetime

import pytest

from delivery.errors import LockLost, RolledBack
from delivery.journal.ending import end_of_release
from delivery.release import Event, Record, ReleaseEnd

AT = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = Record(sequence=0, at=AT, step="Lock", event=Event.STARTED)
INTENDED = Record(sequence=1, at=AT, step="Topics/views", event=Event.INTENDED)
NOTICE = Record(sequence=2, at=AT, step="Notices", event=Event.NOTICE, detail={"event": "Completed", "text": "Done."})


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (RolledBack("41 serves."), ReleaseEnd(outcome="RolledBack", message="41 serves.")),
        (LockLost("Lost."), ReleaseEnd(outcome="Unfinished", message="Lost.", lock_lost=True)),
        (KeyError("x"), ReleaseEnd(outcome="Failed", message="KeyError: 'x'")),
        (None, ReleaseEnd(outcome="Completed", message="Done.")),
    ],
)
def test_a_release_ends_by_its_error_or_with_its_last_notification(error: Exception | None, end: ReleaseEnd) -> None:
    assert end_of_release("production", 7, (STARTED, INTENDED, NOTICE), error) == end


def test_only_a_lost_lock_is_stored() -> None:
    assert ReleaseEnd(outcome="Completed").detail() == {"outcome": "Completed", "message": ""}
    assert ReleaseEnd(outcome="Unfinished", lock_lost=True).detail() == {
        "outcome": "Unfinished",
        "message": "",
        "lock_lost": True,
    }
