"""What a release leaves that died in its canary: by its journal, and by the Rollout as it stands."""

from dataclasses import dataclass

from delivery.release import HOLD_LOST, Record, end_in, request_in
from delivery.rollback.history import rollout_at_start
from delivery.rollout.snapshot import Reading


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


def tells_nothing(journal: tuple[Record, ...]) -> bool:
    """Whether the release leaves the traffic to an earlier one: it never touched it, or died while it recovered it."""
    return rollout_at_start(journal) is None or (bool(request_in(journal).get("recovers")) and is_left(journal))


def find_abandoned(number: int, journal: tuple[Record, ...]) -> Abandoned | None:
    """None where the release saw to its canary itself, or was asked to leave it where it is.

    journal: of the newest release that tells anything.
    """
    found, request = rollout_at_start(journal), request_in(journal)
    if found is None or not is_left(journal):
        return None
    return Abandoned(
        number=number,
        artifact_digest=request["artifact_digest"],
        stable_hash=found.get("stable_hash") or "",
        current_hash=found.get("current_hash") or "",
        is_by_hand=request.get("plan_hash") is None,
    )


def is_left(journal: tuple[Record, ...]) -> bool:
    """Whether nobody looks after what the release began: it has no end, or ended because it lost its hold."""
    end = end_in(journal)
    return end is None or HOLD_LOST in end.detail


def why_not_observed(reading: Reading) -> str | None:
    """Why nobody can tell yet whether a canary is under way: the controller has not seen what was asked of it last."""
    return None if reading.is_observed else "the Rollouts controller has not seen the last change"


def why_left(abandoned: Abandoned, reading: Reading) -> str | None:
    """What a person has to decide, as a sentence without its stop; None where the canary may be taken back."""
    if abandoned.is_by_hand:
        back = "Ask for it again: slipway roll-back without --revision lists where to"
        return f"It was a roll-back by hand, and only a person knows where to. {back}"
    if reading.stable_hash != abandoned.stable_hash:
        return f"It found all traffic at {abandoned.stable_hash}, and that is not the stable revision any more"
    canary = reading.current.artifact_digest if reading.current else reading.current_hash
    # One that it found under way, and died while it aborted it, is as good as its own.
    if canary != abandoned.artifact_digest and reading.current_hash != abandoned.current_hash:
        return f"The canary that is under way, of {canary}, is not its own, and was left alone"
    return None
