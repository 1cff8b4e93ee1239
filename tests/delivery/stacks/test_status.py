"""Each status of CloudFormation has one meaning for a release."""

import boto3
import pytest

from delivery.stacks.status import MANUAL_STEPS, STATUS_CLASSES, StatusClass, advice_for, can_be_updated, classify


def test_the_table_has_every_status_that_cloudformation_has() -> None:
    shape = boto3.client("cloudformation", region_name="us-east-1").meta.service_model.shape_for("StackStatus")
    assert set(STATUS_CLASSES) == set(shape.enum)  # pyright: ignore[reportAttributeAccessIssue]


def test_each_status_of_an_operation_in_progress_is_waited_for() -> None:
    in_progress = {status for status in STATUS_CLASSES if status.endswith("IN_PROGRESS")} - {"REVIEW_IN_PROGRESS"}
    assert in_progress == {status for status, found in STATUS_CLASSES.items() if found is StatusClass.IN_PROGRESS}


def test_an_unknown_status_needs_an_operator() -> None:
    assert classify("FROZEN_IN_AMBER") is StatusClass.NEEDS_OPERATOR


def test_a_stack_that_does_not_exist_is_absent() -> None:
    assert classify(None) is StatusClass.ABSENT


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
def test_only_a_stack_after_a_complete_operation_can_be_updated(status: str | None, expected: bool) -> None:
    assert can_be_updated(status) is expected


@pytest.mark.parametrize("status", sorted(MANUAL_STEPS))
def test_the_advice_for_an_operator_is_a_command_for_the_stack(status: str) -> None:
    assert "--stack-name genai-demo-production-msk." in advice_for("genai-demo-production-msk", status)
