"""Which revisions a Rollout can go back to: those that served all traffic, as the journals of past releases tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from delivery.errors import Refused
from delivery.journal.step_names import moves_traffic
from delivery.release import Event, Record, end_in, request_in
from delivery.rollback.compensation import kept_changes
from delivery.rollout.conditions import why_not_done
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot

# A roll-back by hand has no record of a promotion; it ends so only once all traffic is where it was wanted.
ARRIVED = ("Completed", "ChecksFailed")

Journals = Mapping[int, tuple[Record, ...]]


@dataclass(frozen=True)
class Target:
    """The revision to go back to. kept: what releases changed since it served, as the journals name it; None where no
    journal tells since when.
    """

    found: ReplicaSet
    kept: tuple[str, ...] | None

    @property
    def number(self) -> int:
        return self.found.revision


def choose_target(
    snapshot: RolloutSnapshot, journals: Journals, number: int | None, *, allow_unverified: bool
) -> Target:
    """The revision with this number, which served all traffic before and does not now.

    journals: of releases by their numbers, newest first. allow_unverified: the operator takes one of which no journal
    tells, too. Raises Refused, with the list of all that can be gone back to.
    """
    found = next((found for found in snapshot.replica_sets if found.revision == number), None)
    if found is None:
        said = "No revision was named" if number is None else f"There is no revision {number}"
        raise Refused(f"{said}. {describe_targets(snapshot, journals)}\n")
    if (why := why_not_rollback(snapshot, journals, found, allow_unverified=allow_unverified)) is not None:
        raise Refused(f"{why}. {describe_targets(snapshot, journals)}\n")
    served = last_served(journals, found.hash)
    return Target(found, None if served is None else changes_since(journals, served))


def why_not_rollback(
    snapshot: RolloutSnapshot, journals: Journals, found: ReplicaSet, *, allow_unverified: bool = False
) -> str | None:
    """Why the revision may not get all traffic again, as a sentence without its stop."""
    named = f"Revision {found.revision}"
    if not found.artifact_digest:
        return f"{named} runs {found.image}, which names no digest: it may be another image by now"
    if why_not_done(snapshot, found.hash) is None:
        return f"{named} serves all traffic already"
    if found.hash == snapshot.stable_hash or last_served(journals, found.hash) is not None:
        return None
    if (tried := last_tried(journals, found.hash)) is not None:
        part = _describe_part(journals.get(tried, ()), found.hash)
        return (
            f"{named} never served all traffic: release {tried}, {part}. "
            f"Only a release of {found.artifact_digest} gives it traffic again, by a canary"
        )
    return None if allow_unverified else f"{named} may never have been judged: no journal tells that it served"


def last_served(journals: Journals, pod_hash: str) -> int | None:
    """The newest release that found or left all traffic at the revision, or promoted it."""
    for number, journal in journals.items():
        is_its = is_promoted(journal) and _has(journal, "revision", pod_hash)
        if is_its or _has(journal, "stable_hash", pod_hash):
            return number
    return None


def is_promoted(journal: tuple[Record, ...]) -> bool:
    """Whether the release gave its revision all traffic, however it ended after that."""
    return any(record.event is Event.PROMOTED for record in journal) or outcome_in(journal) in ARRIVED


def last_tried(journals: Journals, pod_hash: str) -> int | None:
    """The newest release that made a canary of the revision; where none is told of, one that found it under way.

    A recovery found the canary of the release that it recovered, which may not have lived to tell of it.
    """
    made = (number for number, journal in journals.items() if _has(journal, "revision", pod_hash))
    found = (
        recovered_in(journal) or number
        for number, journal in journals.items()
        if _has(journal, "current_hash", pod_hash)
    )
    return next(made, None) or next(found, None)


def recovered_in(journal: tuple[Record, ...]) -> int | None:
    """The release whose canary was taken back; None where the journal is not a recovery's."""
    return request_in(journal).get("recovers")


def outcome_in(journal: tuple[Record, ...]) -> str | None:
    """The name of the state that the release ended by; None where it did not end."""
    ended = end_in(journal)
    return ended.detail.get("outcome") if ended else None


def changes_since(journals: Journals, served: int) -> tuple[str, ...]:
    """What releases from this one on changed and no way back of the Rollout takes back, in the order they did."""
    since = [journal for number, journal in journals.items() if number >= served]
    return tuple(dict.fromkeys(step for journal in reversed(since) for step in kept_changes(journal)))


def describe_targets(snapshot: RolloutSnapshot, journals: Journals) -> str:
    """What can be gone back to, a line each, newest first; apart what is taken only where the operator says so."""
    why_not = partial(why_not_rollback, snapshot, journals)
    possible = [found for found in snapshot.replica_sets if why_not(found) is None]
    taken = [found for found in snapshot.replica_sets if why_not(found, allow_unverified=True) is None]
    unverified = [found for found in taken if found not in possible]
    lines = [f"Rollout {snapshot.name} can go back to:{_list(snapshot, possible) or ' nothing.'}"]
    if unverified:
        lines.append(
            f"No journal tells whether these served, --unverified takes them all the same:{_list(snapshot, unverified)}"
        )
    return "\n".join(lines)


def describe_kept_since(target: Target) -> str:
    """What the way back of the Rollout leaves as it is; empty where nothing changed since."""
    if target.kept is None:
        return "Services, Ingress, topics, settings and stacks stay as the releases since left them."
    return f"Kept as the releases since left them: {', '.join(target.kept)}." if target.kept else ""


def describe_number(target: Target, now: RolloutSnapshot) -> str:
    """That the revision has another number than the one that it was asked for by; empty where it has not."""
    found = now.replica_set(target.found.hash)
    is_same = found is None or found.revision == target.number
    return "" if is_same else f"It was revision {target.number}: one that is used again gets a new number."


def name_revision(snapshot: RolloutSnapshot, pod_hash: str) -> str:
    """`revision 7`, as the lists have it; by its hash where it has no ReplicaSet."""
    found = snapshot.replica_set(pod_hash)
    return f"revision {found.revision if found else pod_hash}"


def describe_unverified(snapshot: RolloutSnapshot, pod_hash: str, named: str) -> str:
    """Why a way back goes through a step that nobody judges. named: the revision, as the operator knows it."""
    found, stable = snapshot.replica_set(pod_hash), snapshot.stable
    is_newer = found is not None and stable is not None and found.created_at >= stable.created_at
    outside = "was made after the one that serves" if is_newer else "is outside the rollback window"
    return f"{named} {outside}, so the controller gives it steps, which nobody judges on a way back"


def _list(snapshot: RolloutSnapshot, revisions: list[ReplicaSet]) -> str:
    """Numbers move when a revision is used again, hence the digest and the time."""
    return "".join(
        f"\n  {found.revision}: {found.artifact_digest}, made {found.created_at}{_role(snapshot, found)}"
        for found in revisions
    )


def _role(snapshot: RolloutSnapshot, found: ReplicaSet) -> str:
    """Which one is the canary, and which one it is compared with, while one is under way."""
    if not snapshot.is_unfinished:
        return ""
    roles = {
        snapshot.stable_hash: ", the stable one",
        snapshot.current_hash: ", the canary that is under way, unjudged",
    }
    return roles.get(found.hash, "")


def _describe_part(journal: tuple[Record, ...], pod_hash: str) -> str:
    """What the release had to do with the canary of the revision, and how it ended."""
    found_only = _has(journal, "current_hash", pod_hash) and not _has(journal, "revision", pod_hash)
    ended = f"ended {outcome}" if (outcome := outcome_in(journal)) else "did not end"
    return f"which {'found it under way' if found_only else 'tried it'}, {ended}"


def _has(journal: tuple[Record, ...], key: str, pod_hash: str) -> bool:
    return any(moves_traffic(record.step) and record.detail.get(key) == pod_hash for record in journal)
