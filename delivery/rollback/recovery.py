"""What a release leaves that died in its canary: by its journal, and by the Rollout as it stands."""

from dataclasses import dataclass

from delivery.release import LOCK_LOST, Record, end_in, request_in
from delivery.rollback.history import rollout_at_start
from delivery.rollout.snapshot import RolloutSnapshot


@dataclass(frozen=True)
class OrphanedRelease:
    """A release that touched the Rollout, and whose process died or lost its hold.

    stable_hash, current_hash: as it found them; the stable one empty where nothing served. is_by_hand: a roll-back.
    """

    number: int
    artifact_digest: str
    stable_hash: str
    current_hash: str
    is_by_hand: bool


def has_no_traffic_effect(journal: tuple[Record, ...]) -> bool:
    """Whether the release leaves the traffic to an earlier one: it never touched it, or died while it recovered it."""
    return rollout_at_start(journal) is None or (bool(request_in(journal).get("recovers")) and is_orphaned(journal))


def find_orphaned(number: int, journal: tuple[Record, ...]) -> OrphanedRelease | None:
    """None where the release saw to its canary itself, or was asked to leave it where it is.

    journal: of the newest release that tells anything.
    """
    found, request = rollout_at_start(journal), request_in(journal)
    if found is None or not is_orphaned(journal):
        return None
    return OrphanedRelease(
        number=number,
        artifact_digest=request["artifact_digest"],
        stable_hash=found.get("stable_hash") or "",
        current_hash=found.get("current_hash") or "",
        is_by_hand=request.get("plan_hash") is None,
    )


def is_orphaned(journal: tuple[Record, ...]) -> bool:
    """Whether nobody looks after what the release began: it has no end, or ended because it lost its hold."""
    end = end_in(journal)
    return end is None or LOCK_LOST in end.detail


def why_not_observed(snapshot: RolloutSnapshot) -> str | None:
    """Why nobody can tell yet whether a canary is under way: the controller has not seen what was asked of it last."""
    return None if snapshot.is_observed else "the Rollouts controller has not seen the last change"


def why_not_recoverable(orphaned: OrphanedRelease, snapshot: RolloutSnapshot) -> str | None:
    """What a person has to decide, as a sentence without its stop; None where the canary may be taken back."""
    if orphaned.is_by_hand:
        back = "Ask for it again: slipway rollback without --revision lists where to"
        return f"It was a roll-back by hand, and only a person knows where to. {back}"
    if snapshot.stable_hash != orphaned.stable_hash:
        return f"It found all traffic at {orphaned.stable_hash}, and that is not the stable revision any more"
    canary = snapshot.current.artifact_digest if snapshot.current else snapshot.current_hash
    # One that it found under way, and died while it aborted it, is as good as its own.
    if canary != orphaned.artifact_digest and snapshot.current_hash != orphaned.current_hash:
        return f"The canary that is under way, of {canary}, is not its own, and was left alone"
    return None
