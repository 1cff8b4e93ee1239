"""Whether a release is orphaned, by its journal, and whether its canary can be rolled back, by the Rollout."""

from dataclasses import dataclass

from delivery.release import Record, end_in, request_in
from delivery.rollback.history import rollout_at_start
from delivery.rollout.snapshot import RolloutSnapshot


@dataclass(frozen=True)
class OrphanedRelease:
    """A release that changed the Rollout, and whose process died or lost the lock.

    stable_hash, current_hash: of the Rollout before the release changed it; stable_hash is empty if there was no stable
    revision.
    """

    number: int
    artifact_digest: str
    stable_hash: str
    current_hash: str
    is_manual_rollback: bool


def has_no_traffic_effect(journal: tuple[Record, ...]) -> bool:
    """Whether an earlier release determines the traffic: this one did not change it, or is an orphaned recovery."""
    return rollout_at_start(journal) is None or (bool(request_in(journal).recovers) and is_orphaned(journal))


def find_orphaned(number: int, journal: tuple[Record, ...]) -> OrphanedRelease | None:
    """The orphaned release; None if the release ended, whatever it did with its canary, or did not change the Rollout.

    journal: of the newest release that changed the traffic.
    """
    at_start, request = rollout_at_start(journal), request_in(journal)
    if at_start is None or not is_orphaned(journal):
        return None
    return OrphanedRelease(
        number=number,
        artifact_digest=request.artifact_digest or "",
        stable_hash=at_start.stable_hash,
        current_hash=at_start.current_hash,
        is_manual_rollback=request.plan_hash is None,
    )


def is_orphaned(journal: tuple[Record, ...]) -> bool:
    """Whether no process completes the release: it has no end, or ended because it lost the lock."""
    end = end_in(journal)
    return end is None or end.lock_lost


def describe_death(orphaned: OrphanedRelease) -> str:
    return f"The process of release {orphaned.number} died or lost the lock"


def why_not_observed(snapshot: RolloutSnapshot) -> str | None:
    """Why it is unknown whether a canary is in progress; None if the controller observed the latest generation."""
    return None if snapshot.is_observed else "the Argo Rollouts controller has not observed the last change"


def why_not_recoverable(environment_name: str, orphaned: OrphanedRelease, snapshot: RolloutSnapshot) -> str | None:
    """Why a person must decide, as a sentence without its full stop; None if the canary can be rolled back."""
    if orphaned.is_manual_rollback:
        return (
            f"Release {orphaned.number} was a manual rollback; choose the revision: slipway rollback "
            f"{environment_name} --revision N"
        )
    if snapshot.stable_hash != orphaned.stable_hash:
        before = orphaned.stable_hash or "none"
        return (
            f"The stable revision changed since release {orphaned.number}: it was {before}, now {snapshot.stable_hash}"
        )
    canary = snapshot.current.artifact_digest if snapshot.current else snapshot.current_hash
    # A canary that the release found, and was aborting when its process died, counts as its own.
    if canary != orphaned.artifact_digest and snapshot.current_hash != orphaned.current_hash:
        return f"The canary of {canary} is not from release {orphaned.number}, and was not changed"
    return None
