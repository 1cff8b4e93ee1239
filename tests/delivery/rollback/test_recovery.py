from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.release import Event, Record
from delivery.rollback.recovery import (
    OrphanedRelease,
    find_orphaned,
    has_no_traffic_effect,
    why_not_observed,
    why_not_recoverable,
)
from delivery.rollout.snapshot import RolloutSnapshot
from tests.delivery.rollout.objects import CANARY, STABLE, at_pause, idle, replica_set

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
STABLE_DIGEST, CANARY_DIGEST, OTHER_DIGEST = (f"sha256:{digit * 64}" for digit in "123")
RELEASE = ("Lock", Event.STARTED, {"artifact_digest": CANARY_DIGEST, "plan_hash": "p"})
MANUAL = ("Lock", Event.STARTED, {"artifact_digest": STABLE_DIGEST, "plan_hash": None})
RECOVERY = ("Lock", Event.STARTED, {"artifact_digest": STABLE_DIGEST, "plan_hash": None, "recovers": 7})
ORPHANED = OrphanedRelease(7, CANARY_DIGEST, STABLE, STABLE, is_manual_rollback=False)


def journal(*events: tuple[str, Event, dict[str, Any]]) -> tuple[Record, ...]:
    return tuple(
        Record(sequence=i, at=AT, step=step, event=event, detail=detail)
        for i, (step, event, detail) in enumerate(events)
    )


STARTED = ("Application/Rollout backend", Event.INTENDED, {"stable_hash": STABLE, "current_hash": STABLE})
STACKS = ("Infrastructure/MSKStack", Event.INTENDED, {})
ENDED = ("Lock", Event.ENDED, {"outcome": "Unfinished", "message": "asked to stop"})
LOST = ("Lock", Event.ENDED, {"outcome": "Unfinished", "message": "lock lost", "lock_lost": True})


def canary_of(digest: str) -> RolloutSnapshot:
    """A canary of this digest at its first pause."""
    sets = (
        replica_set(CANARY, f"r/backend@{digest}", 2, 1),
        replica_set(STABLE, f"r/backend@{STABLE_DIGEST}", 1, 3),
    )
    return replace(at_pause(), replica_sets=sets)


@pytest.mark.parametrize("last", [(), (LOST,)], ids=["died", "lost its lock"])
def test_a_release_that_changed_the_rollout_and_died_or_lost_its_lock_is_orphaned(last: tuple[Any, ...]) -> None:
    assert find_orphaned(7, journal(RELEASE, STACKS, STARTED, *last)) == ORPHANED


def test_a_release_that_ended_after_a_stop_request_is_not_orphaned() -> None:
    assert find_orphaned(7, journal(RELEASE, STARTED, ENDED)) is None


def test_a_release_that_did_not_change_the_rollout_has_no_effect_on_the_traffic() -> None:
    assert has_no_traffic_effect(journal(RELEASE, STACKS))
    assert not has_no_traffic_effect(journal(RELEASE, STACKS, STARTED))


def test_the_next_recovery_is_of_the_same_release_if_a_recovery_dies() -> None:
    assert has_no_traffic_effect(journal(RECOVERY, STARTED))
    assert not has_no_traffic_effect(journal(RECOVERY, STARTED, ENDED))
    assert find_orphaned(8, journal(RECOVERY, STARTED, ENDED)) is None


def test_the_canary_of_the_orphaned_release_can_be_rolled_back() -> None:
    assert why_not_recoverable("production", ORPHANED, canary_of(CANARY_DIGEST)) is None


def test_a_canary_that_the_orphaned_release_was_aborting_can_be_rolled_back() -> None:
    found = replace(ORPHANED, artifact_digest=OTHER_DIGEST, current_hash=CANARY)
    assert why_not_recoverable("production", found, canary_of(CANARY_DIGEST)) is None


def test_a_canary_of_another_release_is_not_rolled_back() -> None:
    why = why_not_recoverable("production", ORPHANED, canary_of(OTHER_DIGEST))
    assert why == f"The canary of {OTHER_DIGEST} is not from release 7, and was not changed"


def test_only_a_person_can_choose_the_revision_of_a_manual_rollback() -> None:
    orphaned = find_orphaned(9, journal(MANUAL, STARTED))
    assert orphaned is not None
    assert why_not_recoverable("production", orphaned, canary_of(CANARY_DIGEST)) == (
        "Release 9 was a manual rollback; choose the revision: slipway rollback production --revision N"
    )


def test_a_canary_is_not_rolled_back_if_the_stable_revision_has_changed() -> None:
    why = why_not_recoverable("production", replace(ORPHANED, stable_hash="58aa"), canary_of(CANARY_DIGEST))
    assert why == f"The stable revision changed since release 7: it was 58aa, now {STABLE}"


def test_a_change_that_the_controller_has_not_observed_is_named() -> None:
    assert why_not_observed(idle()) is None
    why = why_not_observed(replace(idle(), generation=5))
    assert why == "the Argo Rollouts controller has not observed the last change"
