import pytest

from sandbox.load_balancer.configuration import HealthCheck
from sandbox.load_balancer.health import FAILED, TargetState, another_code

CHECK = HealthCheck.of({"HealthyThresholdCount": 3, "UnhealthyThresholdCount": 2})


def after(*passed: bool) -> str:
    state = TargetState()
    for result in passed:
        state.record(None if result else FAILED, CHECK)
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
def test_a_target_changes_after_its_threshold_of_consecutive_checks(checks: tuple[bool, ...], state: str) -> None:
    assert after(*checks) == state


@pytest.mark.parametrize(
    ("codes", "status", "accepted"), [("200-299", 204, True), ("200", 204, False), ("200,404", 404, True)]
)
def test_the_matcher_defines_the_healthy_statuses(codes: str, status: int, accepted: bool) -> None:
    assert HealthCheck.of({"Matcher": {"HttpCode": codes}}).accepts(status) is accepted


def test_the_description_of_an_unhealthy_target_has_the_reason() -> None:
    state = TargetState()
    assert state.describe() == {
        "State": "initial",
        "Reason": "Elb.InitialHealthChecking",
        "Description": "Initial health checks in progress",
    }
    state.record(FAILED, CHECK)
    state.record(another_code(503), CHECK)
    assert state.describe() == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [503]",
    }
    for _ in range(3):
        state.record(None, CHECK)
    assert state.describe() == {"State": "healthy"}
