"""How a run can end: the name of its final state in Prefect, and the exit code of the command that followed it."""

from dataclasses import dataclass

from delivery.errors import (
    ChecksFailed,
    DeliveryError,
    Inconclusive,
    NotPromoted,
    Refused,
    RollbackFailed,
    RolledBack,
    SettingsError,
    TopicWouldShrink,
    Unfinished,
)

# No worker started the run within --queue-timeout, so it was cancelled.
QUEUE_TIMED_OUT = 9
INTERRUPTED = 130
BAD_USAGE = 2


@dataclass(frozen=True)
class Outcome:
    """is_success: the type of the state is COMPLETED if true, FAILED if false."""

    state_name: str
    is_success: bool
    exit_code: int


COMPLETED = Outcome("Completed", True, 0)
NOTHING_TO_DO = Outcome("NothingToDo", True, 0)
BAD_SETTINGS = Outcome("BadSettings", False, BAD_USAGE)
REFUSED = Outcome("Refused", False, 3)
NOT_STARTED = Outcome("NotStarted", False, 4)
ROLLED_BACK = Outcome("RolledBack", False, 5)
ROLLBACK_FAILED = Outcome("RollbackFailed", False, 6)
CHECKS_FAILED = Outcome("ChecksFailed", False, 7)
INCONCLUSIVE = Outcome("Inconclusive", False, 8)
# The run changed something, and neither completed nor rolled back: a person decides.
UNFINISHED = Outcome("Unfinished", False, 8)

OUTCOMES = (
    COMPLETED,
    NOTHING_TO_DO,
    BAD_SETTINGS,
    REFUSED,
    NOT_STARTED,
    ROLLED_BACK,
    ROLLBACK_FAILED,
    CHECKS_FAILED,
    INCONCLUSIVE,
    UNFINISHED,
)

_BY_NAME = {outcome.state_name: outcome for outcome in OUTCOMES}
_BY_ERROR: dict[type[DeliveryError], Outcome] = {
    SettingsError: BAD_SETTINGS,
    Refused: REFUSED,
    RolledBack: ROLLED_BACK,
    RollbackFailed: ROLLBACK_FAILED,
    ChecksFailed: CHECKS_FAILED,
    Inconclusive: INCONCLUSIVE,
    Unfinished: UNFINISHED,
}


def outcome_of(error: DeliveryError, has_effects: bool = False) -> Outcome:
    """How a run ends that raised an error.

    has_effects: whether the release may have changed something, according to its journal.
    """
    if (known := _BY_ERROR.get(type(error))) is not None:
        return known
    if isinstance(error, NotPromoted) and not error.is_failure:
        return INCONCLUSIVE
    if isinstance(error, TopicWouldShrink) and not has_effects:
        return REFUSED
    return UNFINISHED if has_effects else NOT_STARTED


def exit_code_of(state_type: str, state_name: str, has_effects: bool = True) -> int:
    """The exit code for the final state of a run.

    state_type: Prefect's. has_effects: whether the release may have changed something. It decides only for a state
    that is not in OUTCOMES, such as Crashed or Cancelled.
    """
    if (outcome := _BY_NAME.get(state_name)) is not None and outcome.is_success == (state_type == "COMPLETED"):
        return outcome.exit_code
    if state_type == "COMPLETED":
        return COMPLETED.exit_code
    return (UNFINISHED if has_effects else NOT_STARTED).exit_code
