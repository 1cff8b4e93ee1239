"""Every status of CloudFormation has one meaning for a release."""

import boto3
import pytest

from delivery.stacks.status import BY_HAND, STANDINGS, Standing, advice_for, can_be_changed, standing_of


def test_the_table_has_every_status_that_cloudformation_has() -> None:
    shape = boto3.client("cloudformation", region_name="us-east-1").meta.service_model.shape_for("StackStatus")
    assert set(STANDINGS) == set(shape.enum)  # pyright: ignore[reportAttributeAccessIssue]


def test_every_status_that_goes_on_by_itself_is_waited_for() -> None:
    under_way = {status for status in STANDINGS if status.endswith("IN_PROGRESS")} - {"REVIEW_IN_PROGRESS"}
    assert under_way == {status for status, standing in STANDINGS.items() if standing is Standing.WAIT}


def test_a_status_nobody_knows_is_a_persons_to_look_at() -> None:
    assert standing_of("FROZEN_IN_AMBER") is Standing.NEEDS_A_PERSON


def test_no_stack_is_absent() -> None:
    assert standing_of(None) is Standing.ABSENT


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("ROLLBACK_COMPLETE", False),
        ("UPDATE_ROLLBACK_FAILED", False),
        ("UPDATE_IN_PROGRESS", False),
        ("REVIEW_IN_PROGRESS", False),
        (None, False),
    ],
)
def test_only_a_settled_stack_takes_an_update(status: str | None, expected: bool) -> None:
    assert can_be_changed(status) is expected


@pytest.mark.parametrize("status", sorted(BY_HAND))
def test_the_advice_for_a_person_is_a_command_for_the_stack(status: str) -> None:
    assert "--stack-name genai-demo-production-msk." in advice_for("genai-demo-production-msk", status)
