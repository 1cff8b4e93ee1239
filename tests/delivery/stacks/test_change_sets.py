from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from delivery.journal.step_names import planned_step
from delivery.plan import Phase
from delivery.release import Release
from delivery.stacks.change_sets import (
    ListedChangeSet,
    describe_deleted,
    find_orphaned_change_sets,
    is_of_slipway,
    name_preview,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", lock_epoch=1
)
OLD = ListedChangeSet("arn:1", name_preview("0" * 32), "CREATE_COMPLETE", "AVAILABLE", NOON)


def is_orphaned(found: ListedChangeSet, after: timedelta = timedelta(hours=2)) -> bool:
    return find_orphaned_change_sets([found], NOON + after) == (found,)


def test_a_change_set_of_a_plan_or_of_a_release_is_of_slipway() -> None:
    assert is_of_slipway(OLD.name)
    assert is_of_slipway(RELEASE.token(planned_step(Phase.STACKS, "RDSStack")))


@pytest.mark.parametrize("name", ["cdk-deploy-change-set", "slipway-plan-of-mine", "release-7", "plan", ""])
def test_an_old_change_set_of_another_client_is_not_orphaned(name: str) -> None:
    assert not is_orphaned(replace(OLD, name=name), timedelta(days=400))


def test_a_change_set_of_slipway_is_orphaned_after_an_hour() -> None:
    assert is_orphaned(OLD, timedelta(minutes=61))
    assert not is_orphaned(OLD, timedelta(minutes=59))


@pytest.mark.parametrize("execution", ["EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"])
def test_a_change_set_that_is_or_was_executed_is_not_orphaned(execution: str) -> None:
    assert not is_orphaned(replace(OLD, execution_status=execution))


@pytest.mark.parametrize("status", ["CREATE_PENDING", "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_FAILED"])
def test_a_change_set_in_creation_or_deletion_is_not_orphaned(status: str) -> None:
    assert not is_orphaned(replace(OLD, status=status, execution_status="UNAVAILABLE"))


def test_a_change_set_that_is_empty_or_obsolete_can_be_orphaned() -> None:
    assert is_orphaned(replace(OLD, status="FAILED", execution_status="UNAVAILABLE"))
    assert is_orphaned(replace(OLD, execution_status="OBSOLETE"))


def test_deleted_change_sets_are_described_with_their_number_and_the_oldest_time() -> None:
    second = replace(OLD, made=NOON + timedelta(minutes=5))
    orphaned = find_orphaned_change_sets([second, OLD], NOON + timedelta(hours=2))
    assert describe_deleted("RDSStack", orphaned) == (
        "RDSStack: deleted 2 change sets of plans or releases whose process died. "
        "The oldest was created at 2026-11-24 12:00 UTC."
    )
    assert describe_deleted("RDSStack", orphaned[:1]) == (
        "RDSStack: deleted 1 change set of a plan or release whose process died. "
        "It was created at 2026-11-24 12:00 UTC."
    )
