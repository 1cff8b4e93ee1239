"""What the journal of an earlier release says."""

from typing import Any

from delivery.journal.step_names import moves_traffic
from delivery.release import Event, Record, has_ended, last_step


def describe_unfinished(number: int, journal: tuple[Record, ...]) -> str | None:
    """What a release that never ended was doing; None when it ended.

    journal: in the order of its sequence.
    """
    if has_ended(journal):
        return None
    step, last = last_step(journal), journal[-1].at if journal else None
    where = f"in {step}" if step else "before its first effect"
    when = f", last heard of at {last:%Y-%m-%d %H:%M:%S} UTC" if last else ""
    return f"Release {number} did not end: its process stopped {where}{when}. This release goes on from what is there."


def rollout_at_start(journal: tuple[Record, ...]) -> dict[str, Any] | None:
    """The Rollout as the release found it, by its first intent on the traffic; None where it never touched that."""
    intended = (record for record in journal if record.event is Event.INTENDED)
    return next((record.detail for record in intended if moves_traffic(record.step)), None)
