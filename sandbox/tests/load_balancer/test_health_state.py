import pytest

from sandbox.load_balancer.configuration import HealthCheck
from sandbox.load_balancer.health import FAILED, TargetState, another_code

CHECK = HealthCheck.of({"HealthyThresholdCount": 3, "UnhealthyThresholdCount": 2})


def after(*passed: bool) -> str:
    state = TargetState()
    for result in passed:
        state.take(None if result else FAILED, CHECK)
    return state.state


@pytest.mark.parametrize(
    ("checks", "state"),
    [
        ((), "initial"),
        ((True,), "healthy"),
        ((True, False), "healthy"),
        ((True, False, False), "unhealthy"),
        ((False, False, True, True), "unhealthy"),
        ((False, False, True, True, True), "healthy"),
        ((True, False, True, False), "healthy"),
    ],
)
def test_a_target_changes_after_its_thresholds_in_a_row(checks: tuple[bool, ...], state: str) -> None:
    assert after(*checks) == state


@pytest.mark.parametrize(
    ("codes", "status", "accepted"), [("200-299", 204, True), ("200", 204, False), ("200,404", 404, True)]
)
def test_the_matcher_says_which_statuses_are_healthy(codes: str, status: int, accepted: bool) -> None:
    assert HealthCheck.of({"Matcher": {"HttpCode": codes}}).accepts(status) is accepted


def test_an_unhealthy_target_is_described_by_why_its_check_failed() -> None:
    state = TargetState()
    assert state.describe() == {
        "State": "initial",
        "Reason": "Elb.InitialHealthChecking",
        "Description": "Initial health checks in progress",
    }
    state.take(FAILED, CHECK)
    state.take(another_code(503), CHECK)
    assert state.describe() == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [503]",
    }
    for _ in range(3):
        state.take(None, CHECK)
    assert state.describe() == {"State": "healthy"}
