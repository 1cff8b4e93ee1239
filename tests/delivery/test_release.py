from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from delivery.release import Event, Record, Release, ReleaseEnd, ReleaseRequest, end_in, request_in

DIGEST = "sha256:" + "a" * 64
STORED = {
    "artifact_digest": DIGEST,
    "plan_hash": "1f2e",
    "reason": "spring",
    "recovers": None,
    "lock_epoch": 4,
    "flow_run": None,
    "nonce": "a5471b3e1d70",
}


def record(event: Event, detail: dict[str, Any], sequence: int = 0) -> Record:
    return Record(sequence=sequence, at=datetime(2026, 3, 1, tzinfo=UTC), step="Lock", event=event, detail=detail)


def test_a_request_is_stored_under_these_keys_and_read_back() -> None:
    request = request_in((record(Event.STARTED, {**STORED, "found": "The lock of release 7 expired."}),))
    assert request.model_dump() == STORED
    assert request.to_release("production", 8) == Release(
        environment="production",
        number=8,
        nonce="a5471b3e1d70",
        artifact_digest=DIGEST,
        plan_hash="1f2e",
        lock_epoch=4,
    )


@pytest.mark.parametrize("journal", [(), (record(Event.INTENDED, {}),), (record(Event.STARTED, {}),)])
def test_a_journal_without_a_complete_request_can_be_read(journal: tuple[Record, ...]) -> None:
    assert request_in(journal) == ReleaseRequest()


def test_no_release_starts_from_an_incomplete_request() -> None:
    with pytest.raises(ValidationError):
        ReleaseRequest(artifact_digest=DIGEST).to_release("production", 8)


def test_the_end_of_a_release_is_its_last_end_whatever_follows_it() -> None:
    lost = record(Event.ENDED, {"outcome": "Unfinished", "message": "Lost.", "lock_lost": True})
    journal = (lost, record(Event.NOTICE, {"event": "Unfinished", "text": "Lost."}, 1))
    assert end_in(journal) == ReleaseEnd(outcome="Unfinished", message="Lost.", lock_lost=True)
    assert end_in((record(Event.STARTED, STORED),)) is None
    assert end_in((record(Event.ENDED, {}),)) == ReleaseEnd()
