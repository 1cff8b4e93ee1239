from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.release import Event, Record
from delivery.rollback.serving import as_serving, describe_serving
from delivery.rollout.snapshot import RolloutSnapshot, Weights
from tests.delivery.rollout.objects import CANARY, STABLE, aborted, at_pause, at_rest, done

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
FIRST, SECOND = "sha256:aa", "sha256:bb"
STEP = "Application/Rollout backend"


def journal(digest: str, outcome: str, pod_hash: str) -> tuple[Record, ...]:
    """Of a release that made a revision of the artifact."""
    events: list[tuple[str, Event, dict[str, Any]]] = [
        ("Lock", Event.STARTED, {"artifact_digest": digest}),
        (STEP, Event.DONE, {"revision": pod_hash}),
        ("Lock", Event.ENDED, {"outcome": outcome, "message": "m"}),
    ]
    return tuple(
        Record(sequence=number, at=AT, step=step, event=event, detail=detail)
        for number, (step, event, detail) in enumerate(events)
    )


UNDER_WAY, ABORTED = "is under way", "was aborted, and is still the Rollout's template"
STARTING = "its pods are starting, and it has no traffic yet"
PROMOTED_FIRST = journal(FIRST, "Completed", STABLE)
PROMOTED_BOTH = {2: journal(SECOND, "Completed", CANARY), 1: PROMOTED_FIRST}


def taken_back() -> RolloutSnapshot:
    """The first revision serves again, under a new number; the second one's canary was taken back."""
    canary, stable = done().replica_sets
    return replace(at_rest(), replica_sets=(replace(stable, revision=3), canary))


def test_what_serves_is_told_with_the_release_that_brought_it_and_the_way_back() -> None:
    assert describe_serving("production", done(), PROMOTED_BOTH) == (
        f"production serves revision 2, {SECOND}, by release 2, which ended at 2026-11-24 12:30 UTC.",
        f"It can go back to revision 1, {FIRST}, made 2026-11-24T12:01:00Z.",
    )


def test_a_release_that_was_rolled_back_brought_nothing_and_is_no_way_back() -> None:
    journals = {2: journal(SECOND, "RolledBack", CANARY), 1: PROMOTED_FIRST}
    serves, not_back = describe_serving("production", taken_back(), journals)
    assert serves == f"production serves revision 3, {FIRST}, by release 1, which ended at 2026-11-24 12:30 UTC."
    assert not_back.startswith(f"Not back to revision 2, {SECOND}: revision 2 never served all traffic: release 2")


def test_a_revision_that_no_release_brought_there_is_told_as_that() -> None:
    (serves, *_) = describe_serving("production", done(), {1: PROMOTED_FIRST})
    assert ", which no release brought there: the last one that did was release 1, which ended at" in serves


def test_a_notice_that_was_delivered_later_does_not_move_a_releases_end() -> None:
    later = Record(sequence=9, at=AT + timedelta(days=3), step="Notice", event=Event.DELIVERED, detail={})
    (serves, *_) = describe_serving("production", done(), {**PROMOTED_BOTH, 2: (*PROMOTED_BOTH[2], later)})
    assert "by release 2, which ended at 2026-11-24 12:30 UTC." in serves


def test_a_canary_under_way_is_told_with_its_share() -> None:
    _, canary, ways_back = describe_serving("production", at_pause(), {1: PROMOTED_FIRST})
    assert canary == f"A canary is under way: revision 2, {SECOND}, has 20 % of the traffic."
    assert ways_back == (
        "slipway rollback production --revision 1 takes it back; where a release is under way, slipway stop "
        "production --reason WHY comes first."
    )


@pytest.mark.parametrize(
    ("snapshot", "stands", "share"),
    [
        (replace(at_pause(), weights=Weights(0, CANARY, 100, STABLE)), UNDER_WAY, STARTING),
        (replace(at_pause(), weights=None), UNDER_WAY, STARTING),
        (aborted(), ABORTED, "has no traffic any more"),
        (replace(at_pause(), is_abort_asked=True), ABORTED, "has 20 % of the traffic"),
    ],
)
def test_a_canary_without_traffic_says_why(snapshot: RolloutSnapshot, stands: str, share: str) -> None:
    _, canary, _ = describe_serving("production", snapshot, {1: PROMOTED_FIRST})
    assert canary == f"A canary {stands}: revision 2, {SECOND}, {share}."


def test_nothing_serves_before_the_first_installation() -> None:
    assert describe_serving("production", None, {}) == ("production has no application yet.",)
    assert as_serving(None, {}) is None


def test_a_program_gets_the_revision_and_what_it_can_go_back_to() -> None:
    first = {"revision": 1, "artifact_digest": FIRST, "made": "2026-11-24T12:01:00Z"}
    second = {"revision": 2, "artifact_digest": SECOND, "made": "2026-11-24T12:02:00Z"}
    assert as_serving(done(), PROMOTED_BOTH) == second | {"can_go_back_to": [first]}
    assert as_serving(done(), {}) == second | {"can_go_back_to": []}
