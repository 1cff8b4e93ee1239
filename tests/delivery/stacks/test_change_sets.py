from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from delivery.journal.step_names import planned_step
from delivery.plan import Phase
from delivery.release import Release
from delivery.stacks.change_sets import ListedChangeSet, describe_leftovers, find_leftovers, is_ours, name_preview

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", lock_epoch=1
)
LEFT = ListedChangeSet("arn:1", name_preview("0" * 32), "CREATE_COMPLETE", "AVAILABLE", NOON)


def is_orphaned(found: ListedChangeSet, after: timedelta = timedelta(hours=2)) -> bool:
    return find_leftovers([found], NOON + after) == (found,)


def test_a_change_set_of_a_plan_or_of_a_release_is_ours() -> None:
    assert is_ours(LEFT.name)
    assert is_ours(RELEASE.token(planned_step(Phase.STACKS, "RDSStack")))


@pytest.mark.parametrize("name", ["cdk-deploy-change-set", "slipway-plan-of-mine", "release-7", "plan", ""])
def test_a_change_set_of_another_name_is_somebody_elses_however_old(name: str) -> None:
    assert not is_orphaned(replace(LEFT, name=name), timedelta(days=400))


def test_a_change_set_of_ours_is_left_behind_after_an_hour() -> None:
    assert is_orphaned(LEFT, timedelta(minutes=61))
    assert not is_orphaned(LEFT, timedelta(minutes=59))


@pytest.mark.parametrize("execution", ["EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"])
def test_a_change_set_that_is_or_was_executed_stays(execution: str) -> None:
    assert not is_orphaned(replace(LEFT, execution_status=execution))


@pytest.mark.parametrize("status", ["CREATE_PENDING", "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_FAILED"])
def test_a_change_set_that_is_being_made_or_deleted_is_let_alone(status: str) -> None:
    assert not is_orphaned(replace(LEFT, status=status, execution_status="UNAVAILABLE"))


def test_one_that_would_have_changed_nothing_or_was_made_obsolete_is_left_behind_as_well() -> None:
    assert is_orphaned(replace(LEFT, status="FAILED", execution_status="UNAVAILABLE"))
    assert is_orphaned(replace(LEFT, execution_status="OBSOLETE"))


def test_what_was_deleted_is_told_in_a_line_with_how_old_it_was() -> None:
    second = replace(LEFT, made=NOON + timedelta(minutes=5))
    left = find_leftovers([second, LEFT], NOON + timedelta(hours=2))
    assert describe_leftovers("RDSStack", left) == (
        "RDSStack: deleted 2 change sets, the oldest of 2026-11-24 12:00 UTC, left by a plan or release that died."
    )
    assert describe_leftovers("RDSStack", left[:1]).startswith("RDSStack: deleted a change set of 2026-11-24 12:00")
