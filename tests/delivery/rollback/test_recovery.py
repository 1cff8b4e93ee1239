from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.release import LOCK_LOST, Event, Record
from delivery.rollback.recovery import (
    OrphanedRelease,
    find_orphaned,
    has_no_traffic_effect,
    why_not_observed,
    why_not_recoverable,
)
from delivery.rollout.snapshot import RolloutSnapshot
from tests.delivery.rollout.objects import CANARY, STABLE, at_pause, at_rest, replica_set

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
STABLE_DIGEST, CANARY_DIGEST, OTHER_DIGEST = (f"sha256:{digit * 64}" for digit in "123")
RELEASE = ("Lock", Event.STARTED, {"artifact_digest": CANARY_DIGEST, "plan_hash": "p"})
BY_HAND = ("Lock", Event.STARTED, {"artifact_digest": STABLE_DIGEST, "plan_hash": None})
RECOVERY = ("Lock", Event.STARTED, {"artifact_digest": STABLE_DIGEST, "plan_hash": None, "recovers": 7})
LEFT = OrphanedRelease(7, CANARY_DIGEST, STABLE, STABLE, is_by_hand=False)


def journal(*told: tuple[str, Event, dict[str, Any]]) -> tuple[Record, ...]:
    return tuple(
        Record(sequence=i, at=AT, step=step, event=event, detail=detail) for i, (step, event, detail) in enumerate(told)
    )


BEGAN = ("Application/Rollout backend", Event.INTENDED, {"stable_hash": STABLE, "current_hash": STABLE})
STACKS = ("Infrastructure/MSKStack", Event.INTENDED, {})
ENDED = ("Lock", Event.ENDED, {"outcome": "Unfinished", "message": "asked to stop"})
LOST = ("Lock", Event.ENDED, {"outcome": "Unfinished", "message": "taken", LOCK_LOST: True})


def canary_of(digest: str) -> RolloutSnapshot:
    """At its first pause, each image named by its digest."""
    sets = (
        replica_set(CANARY, f"r/backend@{digest}", 2, 1),
        replica_set(STABLE, f"r/backend@{STABLE_DIGEST}", 1, 3),
    )
    return replace(at_pause(), replica_sets=sets)


@pytest.mark.parametrize("last", [(), (LOST,)], ids=["died", "lost its hold"])
def test_a_release_that_touched_the_rollout_and_saw_to_no_end_is_abandoned(last: tuple[Any, ...]) -> None:
    assert find_orphaned(7, journal(RELEASE, STACKS, BEGAN, *last)) == LEFT


def test_a_release_that_was_asked_to_stop_left_its_canary_on_purpose() -> None:
    assert find_orphaned(7, journal(RELEASE, BEGAN, ENDED)) is None


def test_a_release_that_never_came_to_the_rollout_says_nothing_about_its_canary() -> None:
    assert has_no_traffic_effect(journal(RELEASE, STACKS))
    assert not has_no_traffic_effect(journal(RELEASE, STACKS, BEGAN))


def test_a_recovery_that_died_leaves_the_release_that_it_recovered_to_the_next_one() -> None:
    assert has_no_traffic_effect(journal(RECOVERY, BEGAN))
    assert not has_no_traffic_effect(journal(RECOVERY, BEGAN, ENDED))
    assert find_orphaned(8, journal(RECOVERY, BEGAN, ENDED)) is None


def test_its_own_canary_is_taken_back() -> None:
    assert why_not_recoverable(LEFT, canary_of(CANARY_DIGEST)) is None


def test_a_canary_that_it_found_and_was_aborting_is_taken_back() -> None:
    found = replace(LEFT, artifact_digest=OTHER_DIGEST, current_hash=CANARY)
    assert why_not_recoverable(found, canary_of(CANARY_DIGEST)) is None


def test_a_canary_of_somebody_else_is_left_alone() -> None:
    why = why_not_recoverable(LEFT, canary_of(OTHER_DIGEST))
    assert why is not None
    assert f"of {OTHER_DIGEST}, is not its own, and was left alone" in why


def test_where_a_roll_back_by_hand_was_to_lead_only_a_person_knows() -> None:
    orphaned = find_orphaned(9, journal(BY_HAND, BEGAN))
    assert orphaned is not None
    assert "only a person knows where to" in (why_not_recoverable(orphaned, canary_of(CANARY_DIGEST)) or "")


def test_a_revision_that_was_promoted_since_is_not_taken_back() -> None:
    why = why_not_recoverable(replace(LEFT, stable_hash="58aa"), canary_of(CANARY_DIGEST))
    assert why == "It found all traffic at 58aa, and that is not the stable revision any more"


def test_what_the_controller_has_not_seen_tells_nothing_yet() -> None:
    assert why_not_observed(at_rest()) is None
    assert why_not_observed(replace(at_rest(), generation=5)) == "the Rollouts controller has not seen the last change"
