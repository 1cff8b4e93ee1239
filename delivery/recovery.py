"""What a release leaves that died in its canary: by its journal, and by the Rollout as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.reading import Reading
from delivery.release import HOLD_LOST, Event, Record, end_in
from delivery.steps import moves_traffic


@dataclass(frozen=True)
class Abandoned:
    """A release that touched the Rollout, and whose process died or lost its hold.

    stable_hash, current_hash: as it found them; the stable one empty where nothing served. is_by_hand: a roll-back.
    """

    number: int
    artifact_digest: str
    stable_hash: str
    current_hash: str
    is_by_hand: bool


def tells_nothing(request: Mapping[str, Any], journal: tuple[Record, ...]) -> bool:
    """Whether the release leaves the traffic to an earlier one: it never touched it, or died while it recovered it."""
    return first_intent(journal) is None or (bool(request.get("recovers")) and is_left(journal))


def find_abandoned(number: int, request: Mapping[str, Any], journal: tuple[Record, ...]) -> Abandoned | None:
    """None where the release saw to its canary itself, or was asked to leave it where it is.

    request: as the release was asked for. journal: of the newest release that tells anything.
    """
    intent = first_intent(journal)
    if intent is None or not is_left(journal):
        return None
    return Abandoned(
        number=number,
        artifact_digest=request["artifact_digest"],
        stable_hash=intent.detail.get("stable_hash") or "",
        current_hash=intent.detail.get("current_hash") or "",
        is_by_hand=request.get("plan_hash") is None,
    )


def first_intent(journal: tuple[Record, ...]) -> Record | None:
    """The record with the Rollout as the release found it; None where it never touched it."""
    intended = (record for record in journal if record.event is Event.INTENDED)
    return next((record for record in intended if moves_traffic(record.step)), None)


def is_left(journal: tuple[Record, ...]) -> bool:
    """Whether nobody looks after what the release began: it has no end, or ended because it lost its hold."""
    end = end_in(journal)
    return end is None or HOLD_LOST in end.detail


def has_no_canary(reading: Reading | None) -> bool:
    """Whether one revision has all traffic, and nothing is to be taken back."""
    return reading is not None and bool(reading.stable_hash) and not reading.is_unfinished


def why_left(abandoned: Abandoned, reading: Reading | None) -> str | None:
    """What a person has to decide, as a sentence without its stop; None where there is a canary to take back."""
    died = f"Release {abandoned.number} did not end"
    if reading is None or not reading.stable_hash:
        return f"{died}, and no revision served before it. Start it again: it goes on from what is there"
    if abandoned.is_by_hand:
        back = "Ask for it again: slipway roll-back without --revision lists where to"
        return f"{died}. It was a roll-back by hand, and only a person knows where to. {back}"
    canary = reading.current.artifact_digest if reading.current else reading.current_hash
    # One that it found under way, and died while it aborted it, is as good as its own.
    is_its = canary == abandoned.artifact_digest or reading.current_hash == abandoned.current_hash
    if not is_its or reading.stable_hash != abandoned.stable_hash:
        return f"{died}. The canary that is under way, of {canary}, is not its own, and was left alone"
    return None
