"""What serves an environment now, and what it can be rolled back to, for `slipway status`."""

from functools import partial

from delivery.release import Record, end_record_in, request_in
from delivery.rollback.revisions import Journals, is_promoted, why_not_rollback
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot


def describe_serving(environment_name: str, snapshot: RolloutSnapshot, journals: Journals) -> tuple[str, ...]:
    """A line for the revision that serves, for a canary in progress, and for each other revision.

    journals: of releases by their numbers, newest first, back to the oldest revision.
    """
    if snapshot.stable is None:
        state = ": ".join(part for part in (snapshot.phase, snapshot.message) if part)
        return (f"{environment_name} has no stable revision. State of its Rollout: {state or 'unknown'}",)
    canary = describe_canary(environment_name, snapshot, snapshot.stable)
    targets = [describe_rollback_target(environment_name, snapshot, journals, found) for found in others(snapshot)]
    return (
        f"{environment_name} serves {describe_revision(snapshot.stable)}, {since_when(snapshot.stable, journals)}.",
        *([*canary, *targets] or ["There is no earlier revision to roll back to."]),
    )


def as_serving(environment_name: str, snapshot: RolloutSnapshot | None, journals: Journals) -> dict[str, object] | None:
    """The same as JSON: `serving` of `slipway status --json`. None if nothing serves."""
    if snapshot is None or snapshot.stable is None:
        return None
    why_not = partial(why_not_rollback, environment_name, snapshot, journals)
    targets = [found for found in others(snapshot) if why_not(found) is None]
    return as_revision(snapshot.stable) | {"rollback_targets": [as_revision(found) for found in targets]}


def as_revision(replica_set: ReplicaSet) -> dict[str, object]:
    return {
        "revision": replica_set.revision,
        "artifact_digest": replica_set.artifact_digest,
        "created_at": replica_set.created_at,
    }


def others(snapshot: RolloutSnapshot) -> list[ReplicaSet]:
    """The revisions except the stable one and the canary, newest first."""
    return [found for found in snapshot.replica_sets if found.hash not in (snapshot.stable_hash, snapshot.current_hash)]


def describe_revision(replica_set: ReplicaSet) -> str:
    return f"revision {replica_set.revision}, {replica_set.artifact_digest or replica_set.image}"


def describe_rollback_target(
    environment_name: str, snapshot: RolloutSnapshot, journals: Journals, replica_set: ReplicaSet
) -> str:
    """How to roll back to the revision, or why that is refused."""
    why_not = why_not_rollback(environment_name, snapshot, journals, replica_set)
    if why_not is not None:
        return f"A rollback to {describe_revision(replica_set)}, is refused. {why_not}."
    command = f"slipway rollback {environment_name} --revision {replica_set.revision}"
    return f"To roll back to {describe_revision(replica_set)}, created {replica_set.created_at}: {command}"


def describe_canary(environment_name: str, snapshot: RolloutSnapshot, stable: ReplicaSet) -> tuple[str, ...]:
    """The canary in progress, and how to roll it back; empty if there is none."""
    if not snapshot.is_unfinished or snapshot.current is None:
        return ()
    state = "was aborted, and is still in the Rollout's template" if snapshot.is_abort_requested else "is in progress"
    return (
        f"A canary {state}: {describe_revision(snapshot.current)}, {describe_weight(snapshot)}.",
        f"To roll it back: slipway rollback {environment_name} --revision {stable.revision}. If a release has the "
        f"lock, first run: slipway stop {environment_name} --reason TEXT",
    )


def describe_weight(snapshot: RolloutSnapshot) -> str:
    """The canary's weight. Without an abort, a weight of 0 % means that its pods are starting."""
    is_starting = not (snapshot.canary_weight_percent or snapshot.is_abort_requested)
    return f"weight {snapshot.canary_weight_percent} %{', its pods are starting' if is_starting else ''}"


def since_when(stable: ReplicaSet, journals: Journals) -> str:
    """Since which release the revision serves; that no release promoted it, if the last one promoted another."""
    for number, journal in journals.items():
        if is_promoted(journal):
            last = f"release {number}, {_when_ended(journal)}"
            is_same = digest_of(journal) == stable.artifact_digest
            return f"since {last}" if is_same else f"which no release promoted. The last promotion was by {last}"
    return f"created {stable.created_at}"


def _when_ended(journal: tuple[Record, ...]) -> str:
    end = end_record_in(journal)
    verb = "which ended at" if end else "whose last record is from"
    return f"{verb} {(end or journal[-1]).at:%Y-%m-%d %H:%M} UTC"


def digest_of(journal: tuple[Record, ...]) -> str | None:
    """The artifact digest that the release was started for."""
    return request_in(journal).artifact_digest
