"""Restoring the template of an earlier revision in the Rollout, until that revision has all traffic."""

from typing import Any

from delivery.application.planning import clean_template
from delivery.context import ReleaseContext
from delivery.errors import Conflict, NotFound
from delivery.rollback.revisions import describe_unjudged_steps, name_revision
from delivery.rollout.conditions import why_not_at_pause, why_not_done
from delivery.rollout.description import describe_for_journal
from delivery.rollout.manifests import read_steps
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tasks.rollout.live import WRITE_ATTEMPTS, LiveRollout
from tasks.rollout.steps import end_pause
from tasks.runs.log import progress
from tasks.state.journal import effect
from tasks.state.lock import require_lock


def restore_template(live: LiveRollout, context: ReleaseContext, pod_hash: str) -> None:
    """Restore the template of the revision, and wait until the revision has all traffic."""
    before = live.read()
    # A revision that is used again gets a new number. Messages name it by the number that the operator knows.
    revision = name_revision(before, pod_hash)
    with effect(context, live.journal_step, describe_for_journal(before)) as done:
        apply_template(live, context, pod_hash)
        live.wait_until(
            lambda: read_past_pauses(live, context, pod_hash, revision),
            lambda snapshot: why_not_done(snapshot, pod_hash),
            f"{revision} to serve all traffic",
            deadline=live.environment.canary.ready_deadline,
        )
        live.wait_for_weight(0)
        done.read_back = describe_for_journal(live.read())


def apply_template(live: LiveRollout, context: ReleaseContext, pod_hash: str) -> None:
    """Apply the live Rollout with the template of the revision. If another writer was faster, read it and try again.

    By server-side apply, like each release: the next release does not own the fields that a patch adds, so it could not
    remove them.
    """
    for _ in range(WRITE_ATTEMPTS):
        target = live.read().replica_set(pod_hash)
        if target is None:
            raise NotFound(f"The revision with pod-template hash {pod_hash} has no ReplicaSet any more.")
        rollout = live.read_object("Rollout", live.rollout_spec.rollout)
        # Another writer may have the lock by now.
        require_lock(context)
        try:
            live.cluster.apply(with_template(rollout, target))
        except Conflict:
            continue
        return
    raise live.too_many_conflicts()


def with_template(rollout: dict[str, Any], target: ReplicaSet) -> dict[str, Any]:
    """The live Rollout with the template of the revision, and not paused manually.

    Because of its resourceVersion, it can only be applied if nothing has changed the Rollout since.
    """
    metadata = {key: rollout["metadata"].get(key) for key in ("name", "namespace", "labels", "resourceVersion")}
    spec = {**rollout["spec"], "template": clean_template(target.template)}
    if "paused" in spec:
        spec["paused"] = False
    return {"apiVersion": rollout["apiVersion"], "kind": "Rollout", "metadata": metadata, "spec": spec}


def read_past_pauses(live: LiveRollout, context: ReleaseContext, pod_hash: str, revision: str) -> RolloutSnapshot:
    """Read the Rollout. If it is at a pause, end the pause: the controller runs the canary steps of some revisions.

    revision: as messages name it.
    """
    snapshot = live.read_unless_broken(pod_hash)
    for number, step in enumerate(read_steps(snapshot.steps)):
        if why_not_at_pause(snapshot, step, pod_hash) is None:
            # The reason is the same for all steps, so only the line of the first one has it.
            reason = "" if number else f": {describe_unjudged_steps(snapshot, pod_hash, revision)}"
            progress(f"{step.weight_percent} %  skipped{reason}")
            end_pause(live, context, pod_hash, step)
    return snapshot
