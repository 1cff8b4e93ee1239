"""An earlier revision's template, put back into the Rollout until that revision has all traffic."""

from typing import Any

from delivery.application.planning import clean_template
from delivery.errors import Conflict, NotFound
from delivery.release import Release
from delivery.rollback.revisions import describe_unverified, name_revision
from delivery.rollout.conditions import why_not_at_pause, why_not_done
from delivery.rollout.manifests import read_steps
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tasks.rollout.describe import describe_before
from tasks.rollout.live import WRITES, LiveRollout
from tasks.rollout.steps import end_pause
from tasks.runs.log import progress
from tasks.state.journal import effect
from tasks.state.lock import ensure_locked


def restore_template(live: LiveRollout, release: Release, pod_hash: str) -> None:
    """The Rollout's template is the revision's again, and the revision has all traffic."""
    found = live.read()
    # A revision gets a new number when it is used again: it is told by the one that the operator knows.
    named = name_revision(found, pod_hash)
    with effect(live.environment, release, live.step, describe_before(found)) as done:
        apply_template(live, release, pod_hash)
        live.wait_until(
            lambda: step_through(live, release, pod_hash, named),
            lambda snapshot: why_not_done(snapshot, pod_hash),
            f"{named} to serve all traffic",
            deadline=live.environment.canary.ready_deadline,
        )
        live.wait_for_weight(0)
        done.read_back = describe_before(live.read())


def apply_template(live: LiveRollout, release: Release, pod_hash: str) -> None:
    """Apply the Rollout as it is, with the template of the revision.

    By server-side apply, as every release does it: a patch would leave fields behind that the next release, which does
    not own them, could not take away.
    """
    for _ in range(WRITES):
        target = live.read().replica_set(pod_hash)
        if target is None:
            raise NotFound(f"Revision {pod_hash} has no ReplicaSet any more.")
        rollout = live.read_object("Rollout", live.rollout_spec.rollout)
        # Who wrote in between may hold the environment.
        ensure_locked(live.environment, release)
        try:
            live.cluster.apply(with_template(rollout, target))
        except Conflict:
            continue
        return
    raise live.too_often_written()


def with_template(rollout: dict[str, Any], target: ReplicaSet) -> dict[str, Any]:
    """What to apply: the Rollout as it is, running, with the revision's template; only if nobody wrote it meanwhile."""
    metadata = {key: rollout["metadata"].get(key) for key in ("name", "namespace", "labels", "resourceVersion")}
    spec = {**rollout["spec"], "template": clean_template(target.template)}
    if "paused" in spec:
        spec["paused"] = False
    return {"apiVersion": rollout["apiVersion"], "kind": "Rollout", "metadata": metadata, "spec": spec}


def step_through(live: LiveRollout, release: Release, pod_hash: str, named: str) -> RolloutSnapshot:
    """A reading on the way back. A revision that is not inside the rollback window is given steps, unjudged here."""
    snapshot = live.look(pod_hash)
    for number, step in enumerate(read_steps(snapshot.steps)):
        if why_not_at_pause(snapshot, step, pod_hash) is None:
            # What is true of all steps is said at the first of them.
            why = "" if number else f": {describe_unverified(snapshot, pod_hash, named)}"
            progress(f"{step.weight_percent} %  unjudged{why}")
            end_pause(live, release, pod_hash, step)
    return snapshot
