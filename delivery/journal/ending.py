"""What a release records as its end."""

from delivery.errors import DeliveryError, LockLost
from delivery.journal.notices import read_notices
from delivery.outcome import COMPLETED, outcome_of
from delivery.release import Record, ReleaseEnd, has_effects


def end_of_release(
    environment_name: str, number: int, journal: tuple[Record, ...], error: Exception | None
) -> ReleaseEnd:
    """The name of the run's final state and its message. Without an error, the message is the last notification."""
    if isinstance(error, DeliveryError):
        outcome = outcome_of(error, has_effects(journal))
        return ReleaseEnd(outcome=outcome.state_name, message=str(error), lock_lost=isinstance(error, LockLost))
    if error is not None:
        return ReleaseEnd(outcome="Failed", message=f"{type(error).__name__}: {error}")
    notices = read_notices(environment_name, number, journal)
    return ReleaseEnd(outcome=COMPLETED.state_name, message=notices[-1].text if notices else "")
