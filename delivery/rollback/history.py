"""What the journal of an earlier release says."""

from delivery.journal.rollout_state import RolloutState
from delivery.journal.step_names import moves_traffic
from delivery.release import Event, Record, has_ended, last_step


def describe_unfinished(number: int, journal: tuple[Record, ...]) -> str | None:
    """The last step of a release without a recorded end; None if the release ended.

    journal: in the order of its sequence. The release must not have the lock any more.
    """
    if has_ended(journal):
        return None
    step = last_step(journal)
    where = f"during {step}" if step else "before its first change"
    last = f" (last record {journal[-1].at:%Y-%m-%d %H:%M:%S} UTC)" if journal else ""
    return (
        f"Release {number} has no recorded end. Its process died {where}{last}. "
        "A release continues from the current state."
    )


def rollout_at_start(journal: tuple[Record, ...]) -> RolloutState | None:
    """The Rollout before the release's first effect on the traffic; None if the release had no such effect."""
    intended = (record for record in journal if record.event is Event.INTENDED)
    first = next((record for record in intended if moves_traffic(record.step)), None)
    return RolloutState.model_validate(first.detail) if first else None
