"""The progress, the end and the first failure of an operation, from its events."""

from datetime import UTC, datetime, timedelta

import pytest

from delivery.errors import LockLost, StackFailed, StopRequested
from delivery.plan import StepAction
from delivery.stacks.assembly import StackSpec
from delivery.stacks.progress import (
    LastOperation,
    StackEvent,
    StackOutcome,
    conclude_stacks,
    describe_failures,
    describe_outcome,
    describe_progress,
    end_of,
    find_last_operation,
    first_failure,
    stack_failed,
)

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/genai-demo-production-msk/1"
MSK = StackSpec(id="MSKStack", name="genai-demo-production-msk", template="{}")
BEGUN = datetime(2026, 11, 24, tzinfo=UTC)


def about(logical_id: str, status: str, seconds: int = 0, reason: str = "") -> StackEvent:
    return StackEvent(
        id=f"{logical_id}-{status}",
        logical_id=logical_id,
        physical_id=f"id-of-{logical_id}",
        type="AWS::MSK::Cluster",
        status=status,
        reason=reason,
        at=BEGUN + timedelta(seconds=seconds),
    )


def about_stack(status: str, physical_id: str = ARN) -> StackEvent:
    event = about("genai-demo-production-msk", status)
    return event.model_copy(update={"physical_id": physical_id, "type": "AWS::CloudFormation::Stack"})


def done(stack_id: str) -> StackOutcome:
    return StackOutcome(id=stack_id, arn=ARN, status="CREATE_COMPLETE", action=StepAction.CREATE)


def test_an_operation_ends_with_an_event_of_its_own_stack() -> None:
    assert end_of(ARN, [about_stack("CREATE_IN_PROGRESS"), about_stack("CREATE_COMPLETE")]) == "CREATE_COMPLETE"


def test_a_completed_resource_does_not_end_the_operation() -> None:
    assert end_of(ARN, [about_stack("CREATE_IN_PROGRESS"), about("Cluster", "CREATE_COMPLETE")]) is None


def test_a_nested_stack_does_not_end_the_operation() -> None:
    assert end_of(ARN, [about_stack("CREATE_IN_PROGRESS"), about_stack("CREATE_COMPLETE", "arn:nested")]) is None


def test_the_cleanup_after_an_update_is_not_the_end() -> None:
    assert end_of(ARN, [about_stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")]) is None


def test_an_operation_without_events_has_not_ended() -> None:
    assert end_of(ARN, []) is None


def test_progress_counts_finished_resources_and_names_those_in_progress_with_their_time() -> None:
    events = [
        about("Configuration", "CREATE_IN_PROGRESS"),
        about("Cluster", "CREATE_IN_PROGRESS", 2),
        about("Configuration", "CREATE_COMPLETE", 3),
        about("Cluster", "CREATE_IN_PROGRESS", 4),
    ]
    text = describe_progress(
        "MSKStack", [about_stack("CREATE_IN_PROGRESS"), *events], 5, BEGUN + timedelta(seconds=814)
    )
    assert text == "MSKStack: 1 of 5 resources done in 13m34s, Cluster CREATE_IN_PROGRESS for 13m32s"


def test_progress_names_the_duration_of_the_last_successful_operation() -> None:
    history = [
        at(about_stack("UPDATE_ROLLBACK_COMPLETE"), 4000),
        at(about_stack("UPDATE_IN_PROGRESS"), 3900),
        at(about_stack("CREATE_COMPLETE"), 1265),
        at(about_stack("CREATE_IN_PROGRESS"), 0),
    ]
    last = find_last_operation(history)
    assert last == LastOperation(was_creation=True, duration=timedelta(minutes=21, seconds=5))
    text = describe_progress("MSKStack", [about_stack("UPDATE_IN_PROGRESS")], 5, BEGUN, last)
    assert text == "MSKStack: 0 of 5 resources done in 0s (its creation took 21m5s)"


def test_a_stack_without_a_successful_operation_has_no_last_operation() -> None:
    assert find_last_operation([about_stack("ROLLBACK_COMPLETE"), about_stack("CREATE_IN_PROGRESS")]) is None


def at(event: StackEvent, seconds: int) -> StackEvent:
    return event.model_copy(update={"at": BEGUN + timedelta(seconds=seconds)})


def test_progress_names_the_first_of_many_resources_in_progress() -> None:
    events = [about(f"Alarm{number}", "CREATE_IN_PROGRESS") for number in range(5)]
    text = describe_progress("MSKStack", events, None, BEGUN)
    assert text.endswith("Alarm0 CREATE_IN_PROGRESS for 0s, Alarm1 CREATE_IN_PROGRESS for 0s and 3 more")


def test_an_outcome_is_described_with_the_action_and_the_number_of_resources() -> None:
    assert describe_outcome(done("MSKStack"), 5) == "MSKStack: created, 5 resources"
    unchanged = done("MSKStack").model_copy(update={"action": StepAction.NOTHING})
    assert describe_outcome(unchanged, None) == "MSKStack: nothing to do"


def test_a_failed_resource_is_described_with_its_reason() -> None:
    events = [about("Trail", "CREATE_COMPLETE"), about("Cluster", "CREATE_FAILED", reason="no capacity")]
    assert describe_failures("MSKStack", events) == ["MSKStack: Cluster CREATE_FAILED: no capacity"]


def test_a_cancelled_resource_is_not_the_first_failure() -> None:
    cancelled = about("Alarm", "CREATE_FAILED", reason="Resource creation cancelled")
    failed = about("Cluster", "CREATE_FAILED", reason="no capacity")
    assert first_failure(ARN, [cancelled, failed, about_stack("ROLLBACK_FAILED")]) == failed


def test_the_error_of_a_failed_stack_has_status_cause_and_advice() -> None:
    error = stack_failed(MSK, "UPDATE_ROLLBACK_COMPLETE", ARN, [about("Cluster", "UPDATE_FAILED", reason="too small.")])
    assert str(error) == (
        "MSKStack (genai-demo-production-msk) ended in UPDATE_ROLLBACK_COMPLETE. "
        "Cluster (AWS::MSK::Cluster) UPDATE_FAILED: too small. "
        "The stack is as it was before."
    )


def test_the_error_of_a_stack_that_needs_an_operator_also_has_the_reason_of_the_stack() -> None:
    failed = about("Cluster", "CREATE_FAILED", reason="no capacity.")
    stuck = about_stack("ROLLBACK_FAILED").model_copy(update={"reason": "Failed to delete: [Database]."})
    assert str(stack_failed(MSK, "ROLLBACK_FAILED", ARN, [failed, stuck])) == (
        "MSKStack (genai-demo-production-msk) ended in ROLLBACK_FAILED. "
        "Cluster (AWS::MSK::Cluster) CREATE_FAILED: no capacity. Failed to delete: [Database]. "
        "Delete the stack: aws cloudformation delete-stack --stack-name genai-demo-production-msk."
    )


def test_successful_stacks_raise_no_error() -> None:
    conclude_stacks({"NetworkStack": done("NetworkStack")})


def test_one_error_names_the_stacks_that_failed_finished_and_were_not_started() -> None:
    ends = {"NetworkStack": done("NetworkStack"), "MSKStack": StackFailed("MSKStack failed."), "EKSStack": None}
    with pytest.raises(StackFailed) as raised:
        conclude_stacks(ends)
    assert str(raised.value) == "MSKStack failed. Finished: NetworkStack. Not started: EKSStack."


@pytest.mark.parametrize("kind", [LockLost, StopRequested])
def test_a_lost_lock_and_a_stop_request_are_not_a_failed_stack(kind: type[LockLost] | type[StopRequested]) -> None:
    with pytest.raises(kind, match=r"^MSKStack failed\. Gone\. Finished: none\. Not started: none\.$"):
        conclude_stacks({"MSKStack": StackFailed("MSKStack failed."), "RDSStack": kind("Gone.")})
