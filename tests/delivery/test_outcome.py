import pytest

from delivery.errors import (
    ChecksFailed,
    DeliveryError,
    LockLost,
    NotPromoted,
    Refused,
    RollbackFailed,
    RolledBack,
    SettingsError,
    StackFailed,
    StopRequested,
    TopicWouldShrink,
    Unavailable,
)
from delivery.outcome import OUTCOMES, exit_code_of, outcome_of


@pytest.mark.parametrize(
    ("error", "has_effects", "state_name", "exit_code"),
    [
        (SettingsError("x"), False, "BadSettings", 2),
        (Refused("x"), False, "Refused", 3),
        (TopicWouldShrink("x"), False, "Refused", 3),
        (TopicWouldShrink("x"), True, "Unfinished", 8),
        (Unavailable("x"), False, "NotStarted", 4),
        (StopRequested("x"), False, "NotStarted", 4),
        (StopRequested("x"), True, "Unfinished", 8),
        (LockLost("x"), False, "NotStarted", 4),
        (LockLost("x"), True, "Unfinished", 8),
        (StackFailed("x"), True, "Unfinished", 8),
        (RolledBack("x"), True, "RolledBack", 5),
        (RollbackFailed("x"), True, "RollbackFailed", 6),
        (ChecksFailed("x"), True, "ChecksFailed", 7),
        (NotPromoted("x", is_failure=False), True, "Inconclusive", 8),
        (NotPromoted("x", is_failure=True), True, "Unfinished", 8),
    ],
)
def test_each_error_ends_a_run_in_its_own_way(
    error: DeliveryError, has_effects: bool, state_name: str, exit_code: int
) -> None:
    outcome = outcome_of(error, has_effects)
    assert (outcome.state_name, outcome.exit_code, outcome.is_success) == (state_name, exit_code, False)


def test_an_outcome_has_one_exit_code_whatever_the_journal_contains() -> None:
    for outcome in OUTCOMES:
        state_type = "COMPLETED" if outcome.is_success else "FAILED"
        assert exit_code_of(state_type, outcome.state_name, has_effects=True) == outcome.exit_code
        assert exit_code_of(state_type, outcome.state_name, has_effects=False) == outcome.exit_code


@pytest.mark.parametrize("state", [("CRASHED", "Crashed"), ("FAILED", "Failed"), ("CANCELLED", "Cancelled")])
def test_a_run_without_an_outcome_needs_a_person_if_it_had_effects(state: tuple[str, str]) -> None:
    assert exit_code_of(*state, has_effects=False) == 4
    assert exit_code_of(*state, has_effects=True) == 8


def test_a_failed_state_with_the_name_of_a_success_is_a_failure() -> None:
    assert exit_code_of("FAILED", "Completed") == 8
