from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.release import Event, Record
from delivery.rollback.serving import as_serving, describe_serving
from delivery.rollout.snapshot import RolloutSnapshot, Weights
from tests.delivery.rollout.objects import CANARY, STABLE, aborted, at_pause, done, idle

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
FIRST, SECOND = "sha256:aa", "sha256:bb"
STEP = "Application/Rollout backend"


def journal(digest: str, outcome: str, pod_hash: str) -> tuple[Record, ...]:
    """Of a release that created a revision of the artifact."""
    events: list[tuple[str, Event, dict[str, Any]]] = [
        ("Lock", Event.STARTED, {"artifact_digest": digest}),
        (STEP, Event.DONE, {"revision": pod_hash}),
        ("Lock", Event.ENDED, {"outcome": outcome, "message": "m"}),
    ]
    return tuple(
        Record(sequence=number, at=AT, step=step, event=event, detail=detail)
        for number, (step, event, detail) in enumerate(events)
    )


IN_PROGRESS, ABORTED = "is in progress", "was aborted, and is still in the Rollout's template"
STARTING = "weight 0 %, its pods are starting"
PROMOTED_FIRST = journal(FIRST, "Completed", STABLE)
PROMOTED_BOTH = {2: journal(SECOND, "Completed", CANARY), 1: PROMOTED_FIRST}


def rolled_back() -> RolloutSnapshot:
    """The canary of the second revision was rolled back. The first revision serves again, with a new number."""
    canary, stable = done().replica_sets
    return replace(idle(), replica_sets=(replace(stable, revision=3), canary))


def test_the_revision_that_serves_is_reported_with_its_release_and_with_the_command_for_a_rollback() -> None:
    assert describe_serving("production", done(), PROMOTED_BOTH) == (
        f"production serves revision 2, {SECOND}, since release 2, which ended at 2026-11-24 12:30 UTC.",
        f"To roll back to revision 1, {FIRST}, created 2026-11-24T12:01:00Z: slipway rollback production --revision 1",
    )


def test_a_release_that_was_rolled_back_promoted_nothing_and_is_not_a_target() -> None:
    journals = {2: journal(SECOND, "RolledBack", CANARY), 1: PROMOTED_FIRST}
    serves, refused = describe_serving("production", rolled_back(), journals)
    assert serves == f"production serves revision 3, {FIRST}, since release 1, which ended at 2026-11-24 12:30 UTC."
    assert refused.startswith(
        f"A rollback to revision 2, {SECOND}, is refused. Revision 2 was never promoted (release 2: RolledBack). "
    )


def test_a_revision_that_no_release_promoted_is_reported_as_such() -> None:
    (serves, *_) = describe_serving("production", done(), {1: PROMOTED_FIRST})
    assert ", which no release promoted. The last promotion was by release 1, which ended at" in serves


def test_a_notification_that_is_delivered_later_does_not_change_the_end_of_a_release() -> None:
    later = Record(sequence=9, at=AT + timedelta(days=3), step="Notice", event=Event.DELIVERED, detail={})
    (serves, *_) = describe_serving("production", done(), {**PROMOTED_BOTH, 2: (*PROMOTED_BOTH[2], later)})
    assert "since release 2, which ended at 2026-11-24 12:30 UTC." in serves


def test_a_canary_in_progress_is_reported_with_its_weight_and_the_command_to_roll_it_back() -> None:
    _, canary, commands = describe_serving("production", at_pause(), {1: PROMOTED_FIRST})
    assert canary == f"A canary is in progress: revision 2, {SECOND}, weight 20 %."
    assert commands == (
        "To roll it back: slipway rollback production --revision 1. If a release has the lock, first run: slipway stop "
        "production --reason TEXT"
    )


@pytest.mark.parametrize(
    ("snapshot", "state", "weight"),
    [
        (replace(at_pause(), weights=Weights(0, CANARY, 100, STABLE)), IN_PROGRESS, STARTING),
        (replace(at_pause(), weights=None), IN_PROGRESS, STARTING),
        (aborted(), ABORTED, "weight 0 %"),
        (replace(at_pause(), is_abort_requested=True), ABORTED, "weight 20 %"),
    ],
)
def test_a_canary_says_why_it_has_no_traffic(snapshot: RolloutSnapshot, state: str, weight: str) -> None:
    _, canary, _ = describe_serving("production", snapshot, {1: PROMOTED_FIRST})
    assert canary == f"A canary {state}: revision 2, {SECOND}, {weight}."


def test_nothing_serves_before_the_first_installation() -> None:
    assert as_serving("production", None, {}) is None


def test_the_json_has_the_revision_that_serves_and_its_rollback_targets() -> None:
    first = {"revision": 1, "artifact_digest": FIRST, "created_at": "2026-11-24T12:01:00Z"}
    second = {"revision": 2, "artifact_digest": SECOND, "created_at": "2026-11-24T12:02:00Z"}
    assert as_serving("production", done(), PROMOTED_BOTH) == second | {"rollback_targets": [first]}
    assert as_serving("production", done(), {}) == second | {"rollback_targets": []}
