"""The revisions to which a Rollout can be rolled back: those that served all traffic according to the journals."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from delivery.errors import Refused
from delivery.journal.step_names import moves_traffic
from delivery.release import Event, Record, end_in, request_in
from delivery.rollback.compensation import kept_changes
from delivery.rollout.conditions import why_not_done
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot

# A manual rollback records no promotion. It ends with one of these outcomes only if its revision has all traffic.
PROMOTED_OUTCOMES = ("Completed", "ChecksFailed")

Journals = Mapping[int, tuple[Record, ...]]


@dataclass(frozen=True)
class Target:
    """The revision to roll back to.

    kept: the steps in which releases changed something since it last served all traffic, which a rollback does not
    undo; None if no journal shows when that was.
    """

    replica_set: ReplicaSet
    kept: tuple[str, ...] | None

    @property
    def number(self) -> int:
        return self.replica_set.revision


def choose_target(
    environment_name: str,
    snapshot: RolloutSnapshot,
    journals: Journals,
    number: int | None,
    *,
    allow_unverified: bool,
) -> Target:
    """The revision with this number, if it served all traffic before and does not serve it now.

    journals: of releases by their numbers, newest first. allow_unverified: accept a revision that is in no journal.
    Raises Refused with the list of all targets.
    """
    found = next((found for found in snapshot.replica_sets if found.revision == number), None)
    if found is None:
        reason = "No revision was given" if number is None else f"Revision {number} does not exist"
        raise Refused(f"{reason}. {describe_targets(environment_name, snapshot, journals)}\n")
    why = why_not_rollback(environment_name, snapshot, journals, found, allow_unverified=allow_unverified)
    if why is not None:
        raise Refused(f"{why}. {describe_targets(environment_name, snapshot, journals)}\n")
    served = last_served(journals, found.hash)
    return Target(found, None if served is None else changes_since(journals, served))


def why_not_rollback(
    environment_name: str,
    snapshot: RolloutSnapshot,
    journals: Journals,
    replica_set: ReplicaSet,
    *,
    allow_unverified: bool = False,
) -> str | None:
    """Why a rollback to the revision is refused, as a sentence without its full stop; None if it is possible."""
    revision = f"Revision {replica_set.revision}"
    if not replica_set.artifact_digest:
        return f"{revision} runs {replica_set.image}, which has a tag and no digest, so its content may have changed"
    if why_not_done(snapshot, replica_set.hash) is None:
        return f"{revision} already serves all traffic"
    if replica_set.hash == snapshot.stable_hash or last_served(journals, replica_set.hash) is not None:
        return None
    if (tried := last_tried(journals, replica_set.hash)) is not None:
        return (
            f"{revision} was never promoted (release {tried}{_describe_outcome(journals.get(tried, ()))}). "
            f"To release it again: slipway release {environment_name} --digest {replica_set.artifact_digest}"
        )
    return None if allow_unverified else f"{revision} needs --unverified: no journal shows that it was promoted"


def last_served(journals: Journals, pod_hash: str) -> int | None:
    """The newest release that promoted the revision, or that started while it was the stable revision."""
    for number, journal in journals.items():
        is_promoted_by_it = is_promoted(journal) and _has(journal, "revision", pod_hash)
        if is_promoted_by_it or _has(journal, "stable_hash", pod_hash):
            return number
    return None


def is_promoted(journal: tuple[Record, ...]) -> bool:
    """Whether the release gave its revision all traffic, however it ended after that."""
    return any(record.event is Event.PROMOTED for record in journal) or outcome_in(journal) in PROMOTED_OUTCOMES


def last_tried(journals: Journals, pod_hash: str) -> int | None:
    """The newest release that created a canary of the revision, or the newest one that found it in progress.

    A recovery stands for the orphaned release: that one may have died before it recorded its canary.
    """
    created = (number for number, journal in journals.items() if _has(journal, "revision", pod_hash))
    found = (
        recovered_in(journal) or number
        for number, journal in journals.items()
        if _has(journal, "current_hash", pod_hash)
    )
    return next(created, None) or next(found, None)


def recovered_in(journal: tuple[Record, ...]) -> int | None:
    """The release whose canary a recovery rolled back; None if the journal is not of a recovery."""
    return request_in(journal).recovers


def outcome_in(journal: tuple[Record, ...]) -> str | None:
    """The name of the release's final state; None if it did not end."""
    end = end_in(journal)
    return end.outcome if end else None


def changes_since(journals: Journals, served: int) -> tuple[str, ...]:
    """The changes of this release and of later ones that a rollback does not undo, oldest first."""
    since = [journal for number, journal in journals.items() if number >= served]
    return tuple(dict.fromkeys(step for journal in reversed(since) for step in kept_changes(journal)))


def describe_targets(environment_name: str, snapshot: RolloutSnapshot, journals: Journals) -> str:
    """The revisions to which a rollback is possible, one per line, newest first, then those that need --unverified."""
    why_not = partial(why_not_rollback, environment_name, snapshot, journals)
    verified = [found for found in snapshot.replica_sets if why_not(found) is None]
    accepted = [found for found in snapshot.replica_sets if why_not(found, allow_unverified=True) is None]
    unverified = [found for found in accepted if found not in verified]
    targets = _list(snapshot, verified)
    can = f"can be rolled back to:{targets}" if targets else "has no revision to roll back to."
    lines = [f"Rollout {snapshot.name} {can}"]
    if unverified:
        lines.append(
            f"Only with --unverified, because no journal shows that they were promoted:{_list(snapshot, unverified)}"
        )
    return "\n".join(lines)


def describe_kept_since(target: Target) -> str:
    """The changes that a rollback to the target does not undo; empty if nothing changed since the target served."""
    if target.kept is None:
        return "Changes of later releases to Services, Ingress, topics, settings and stacks stay."
    return f"These changes of later releases stay: {', '.join(target.kept)}." if target.kept else ""


def describe_number(target: Target, now: RolloutSnapshot) -> str:
    """The number by which the revision was chosen, if it has another number now; empty otherwise."""
    found = now.replica_set(target.replica_set.hash)
    is_same = found is None or found.revision == target.number
    return "" if is_same else f"It was revision {target.number}: a revision that is used again gets a new number."


def name_revision(snapshot: RolloutSnapshot, pod_hash: str) -> str:
    """`revision 7`; with the hash instead of the number if it has no ReplicaSet."""
    found = snapshot.replica_set(pod_hash)
    return f"revision {found.revision if found else pod_hash}"


def describe_unjudged_steps(snapshot: RolloutSnapshot, pod_hash: str, revision: str) -> str:
    """Why a rollback goes through canary steps, and that they are not judged. revision: its number before, in words."""
    found, stable = snapshot.replica_set(pod_hash), snapshot.stable
    is_newer = found is not None and stable is not None and found.created_at >= stable.created_at
    reason = "was created after the stable revision" if is_newer else "is outside the rollback window"
    return f"{revision} {reason}, so the controller runs its canary steps; a rollback does not evaluate them"


def _list(snapshot: RolloutSnapshot, revisions: list[ReplicaSet]) -> str:
    """With digest and time, because the number of a revision changes when it is used again."""
    return "".join(
        f"\n  {found.revision}: {found.artifact_digest}, created {found.created_at}{_role(snapshot, found)}"
        for found in revisions
    )


def _role(snapshot: RolloutSnapshot, replica_set: ReplicaSet) -> str:
    """Marks the canary and the stable revision while a canary is in progress."""
    if not snapshot.is_unfinished:
        return ""
    roles = {
        snapshot.stable_hash: ", the stable revision",
        snapshot.current_hash: ", the canary in progress, not judged",
    }
    return roles.get(replica_set.hash, "")


def _describe_outcome(journal: tuple[Record, ...]) -> str:
    """Follows the number of a release."""
    return f": {outcome}" if (outcome := outcome_in(journal)) else " has no recorded end"


def _has(journal: tuple[Record, ...], key: str, pod_hash: str) -> bool:
    return any(moves_traffic(record.step) and record.detail.get(key) == pod_hash for record in journal)
