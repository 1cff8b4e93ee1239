"""What the journal of an earlier release says."""

from delivery.journal.rollout_state import RolloutState
from delivery.journal.step_names import moves_traffic
from delivery.release import Event, Record, has_ended, last_step


def describe_unfinished(number: int, journal: tuple[Record, ...]) -> str | None:
    """The step in which the process of an unfinished release stopped; None if the release ended.

    journal: in the order of its sequence.
    """
    if has_ended(journal):
        return None
    step = last_step(journal)
    where = f"in {step}" if step else "before its first effect"
    last = f" Its last record is from {journal[-1].at:%Y-%m-%d %H:%M:%S} UTC." if journal else ""
    return (
        f"Release {number} did not end: its process stopped {where}.{last} "
        "This release continues from the current state."
    )


def rollout_at_start(journal: tuple[Record, ...]) -> RolloutState | None:
    """The Rollout before the release's first effect on the traffic; None if the release had no such effect."""
    intended = (record for record in journal if record.event is Event.INTENDED)
    first = next((record for record in intended if moves_traffic(record.step)), None)
    return RolloutState.model_validate(first.detail) if first else None
