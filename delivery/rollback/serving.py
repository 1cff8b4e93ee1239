"""What serves an environment now, and what it can go back to, as the operator reads it."""

from delivery.release import Record, end_in, request_in
from delivery.rollback.revisions import Journals, is_promoted, why_not_rollback
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot


def describe_serving(environment: str, snapshot: RolloutSnapshot | None, journals: Journals) -> tuple[str, ...]:
    """The revision that serves, one that is on its way, and a line for each other one: whether one can go back to it.

    snapshot: None where nothing was ever installed. journals: of releases by their numbers, newest first, back to the
    oldest revision.
    """
    if snapshot is None:
        return (f"{environment} has no application yet.",)
    if snapshot.stable is None:
        return (f"{environment} has no revision that is known to serve: {snapshot.phase} {snapshot.message}".rstrip(),)
    canary = describe_canary(environment, snapshot, snapshot.stable)
    ways_back = [describe_rollback_target(snapshot, journals, found) for found in others(snapshot)]
    return (
        f"{environment} serves {describe_revision(snapshot.stable)}, {since_when(snapshot.stable, journals)}.",
        *([*canary, *ways_back] or ["There is no earlier revision to go back to."]),
    )


def as_serving(snapshot: RolloutSnapshot | None, journals: Journals) -> dict[str, object] | None:
    """The same for a program; None where nothing serves."""
    if snapshot is None or snapshot.stable is None:
        return None
    possible = [found for found in others(snapshot) if why_not_rollback(snapshot, journals, found) is None]
    return as_revision(snapshot.stable) | {"can_go_back_to": [as_revision(found) for found in possible]}


def as_revision(found: ReplicaSet) -> dict[str, object]:
    return {"revision": found.revision, "artifact_digest": found.artifact_digest, "made": found.created_at}


def others(snapshot: RolloutSnapshot) -> list[ReplicaSet]:
    """The revisions that are neither serving nor on their way, newest first."""
    return [found for found in snapshot.replica_sets if found.hash not in (snapshot.stable_hash, snapshot.current_hash)]


def describe_revision(found: ReplicaSet) -> str:
    return f"revision {found.revision}, {found.artifact_digest or found.image}"


def describe_rollback_target(snapshot: RolloutSnapshot, journals: Journals, found: ReplicaSet) -> str:
    why_not = why_not_rollback(snapshot, journals, found)
    if why_not is None:
        return f"It can go back to {describe_revision(found)}, made {found.created_at}."
    return f"Not back to {describe_revision(found)}: {why_not[0].lower()}{why_not[1:]}."


def describe_canary(environment: str, snapshot: RolloutSnapshot, stable: ReplicaSet) -> tuple[str, ...]:
    """The canary under way, and how its traffic comes back to the stable revision; empty where there is none."""
    if not snapshot.is_unfinished or snapshot.current is None:
        return ()
    stands = "was aborted, and is still the Rollout's template" if snapshot.is_abort_asked else "is under way"
    return (
        f"A canary {stands}: {describe_revision(snapshot.current)}, {describe_share(snapshot)}.",
        f"slipway rollback {environment} --revision {stable.revision} takes it back; where a release is under way, "
        f"slipway stop {environment} --reason WHY comes first.",
    )


def describe_share(snapshot: RolloutSnapshot) -> str:
    """How much of the traffic a canary has, or why it has none."""
    if snapshot.canary_weight_percent:
        return f"has {snapshot.canary_weight_percent} % of the traffic"
    return "has no traffic any more" if snapshot.is_abort_asked else "its pods are starting, and it has no traffic yet"


def since_when(stable: ReplicaSet, journals: Journals) -> str:
    """By the last release that promoted a revision; another one's means that somebody moved the Rollout by hand."""
    for number, journal in journals.items():
        if is_promoted(journal):
            by = f"release {number}, {_when_ended(journal)}"
            is_its = digest_of(journal) == stable.artifact_digest
            return f"by {by}" if is_its else f"which no release brought there: the last one that did was {by}"
    return f"made {stable.created_at}"


def _when_ended(journal: tuple[Record, ...]) -> str:
    ended = end_in(journal)
    said = "which ended at" if ended else "last heard of at"
    return f"{said} {(ended or journal[-1]).at:%Y-%m-%d %H:%M} UTC"


def digest_of(journal: tuple[Record, ...]) -> str | None:
    """Of the artifact that the release was started for."""
    return request_in(journal).get("artifact_digest")
