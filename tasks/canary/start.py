"""The Rollout of a release: prepare it, apply it, and wait for its pauses and its promotion."""

from collections.abc import Mapping
from dataclasses import replace

from prefect import task

from delivery.application.planning import (
    CanaryRun,
    Preview,
    can_resume,
    image_reference,
    is_stable_already,
    steps_left,
    window_revisions,
)
from delivery.canary.evidence import find_newly_firing
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import NotPromoted, RolloutBroken
from delivery.journal.step_names import planned_step
from delivery.plan import Phase
from delivery.rollout.conditions import why_not_at_pause, why_not_done, why_not_ready_to_start, why_not_started
from delivery.rollout.description import describe_for_journal
from delivery.rollout.manifests import CanaryStep, Manifest, without_controllers_fields
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tasks.application.planning import find_rollout, preview_application, render_application
from tasks.rollout.abort import abort_rollout
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED
from tasks.state.journal import effect


@task(**RETRIED, task_run_name="check for a canary of another digest in {context.environment.name}")
def abort_other_canary(context: ReleaseContext) -> None:
    """Abort a canary of another artifact digest before any step that takes long, because no process judges it.

    A canary of this artifact digest stays: prepare_rollout finds out whether it can be resumed.
    """
    snapshot = find_rollout(context.environment)
    if snapshot is None or not snapshot.is_unfinished:
        return
    if snapshot.current is None or snapshot.current.artifact_digest != context.release.artifact_digest:
        abort_orphaned_canary(connect_rollout(context.environment), context, snapshot)


@task(**RETRIED, task_run_name="prepare the Rollout in {context.environment.name}")
def prepare_rollout(context: ReleaseContext, settings_names: Mapping[str, str]) -> frozenset[str]:
    """Abort a canary that cannot be resumed, and wait until the stable revision is Healthy. A resumed canary continues.

    Returns the alarms that are in ALARM before the canary; for a resumed canary none, because it may be their cause.
    A template must not change during a canary: pods that the load balancer still sends requests to would terminate.
    """
    live = connect_rollout(context.environment)
    snapshot = live.find()
    if snapshot is None or not snapshot.stable_hash:
        return frozenset()
    manifests = render_application(context.environment, context.release.artifact_digest, settings_names)
    if can_resume(snapshot, preview_application(live, manifests).template):
        progress(
            f"Resuming the earlier canary of this artifact digest at step {snapshot.step_index}. "
            "Alarms that are already in ALARM count against the canary."
        )
        return frozenset()
    if snapshot.is_unfinished:
        abort_orphaned_canary(live, context, snapshot)
    return wait_until_healthy(live)


def wait_until_healthy(live: LiveRollout) -> frozenset[str]:
    """Wait until the stable revision is Healthy. Returns the alarms that are in ALARM then."""
    deadline = live.environment.canary.ready_deadline
    live.wait_until(live.read, why_not_ready_to_start, "the stable revision to be Healthy", deadline=deadline)
    return frozenset(live.read_firing_alarms())


def abort_orphaned_canary(live: LiveRollout, context: ReleaseContext, snapshot: RolloutSnapshot) -> None:
    image = snapshot.current.image if snapshot.current else "an unknown image"
    progress(f"Aborting the canary of {image}, which an earlier release started.")
    abort_rollout(live, context)


@task(**RETRIED, task_run_name="apply the manifests for {context.release.artifact_digest}")
def apply_application(
    context: ReleaseContext, settings_names: Mapping[str, str], firing_before: frozenset[str]
) -> CanaryRun:
    """Apply every manifest that differs, the Rollout last, and wait for a revision with the artifact digest.

    A first installation has no canary: wait until its pods serve. Raises RolloutBroken, NotPromoted.
    """
    live = connect_rollout(context.environment)
    manifests = render_application(context.environment, context.release.artifact_digest, settings_names)
    preview = preview_application(live, manifests)
    for manifest, found in zip(manifests, preview.objects, strict=True):
        if manifest["kind"] != "Rollout" and found.changes != ():
            apply_object(live, context, manifest)
    image = image_reference(context.environment, context.release.artifact_digest)
    # The namespace may be new. The API server can return the defaults of the template only after it exists.
    run = start_rollout(live, context, manifests[-1], preview_application(live, manifests[-1:]), image)
    return replace(run, firing_before=firing_before)


def apply_object(live: LiveRollout, context: ReleaseContext, manifest: Manifest) -> None:
    kind, name, namespace = manifest["kind"], manifest["metadata"]["name"], manifest["metadata"].get("namespace")
    found = live.cluster.read(kind, name, namespace)
    step = planned_step(Phase.APPLICATION, f"{kind} {name}")
    with effect(context, step, {"exists": found is not None}) as done:
        applied = live.cluster.apply(without_controllers_fields(manifest, found))
        done.read_back = {"resource_version": applied["metadata"]["resourceVersion"]}


def start_rollout(
    live: LiveRollout, context: ReleaseContext, manifest: Manifest, preview: Preview, image: str
) -> CanaryRun:
    """Apply the Rollout unless nothing changes. Returns the canary with its remaining pauses."""
    snapshot = live.find()
    if snapshot and snapshot.stable_hash and can_resume(snapshot, preview.template):
        return resume_canary(live, context, snapshot, image)
    is_same_template = snapshot is not None and is_stable_already(snapshot, preview.template)
    if snapshot and is_same_template and preview.objects[0].changes == ():
        return CanaryRun(snapshot.stable_hash, snapshot.current_hash, image, ())
    # For an artifact digest that served before, the plan already required the option --canary.
    for found in window_revisions(snapshot, preview.template) if snapshot else ():
        delete_revision(live, context, found)
    with effect(context, live.journal_step, describe_for_journal(snapshot)) as done:
        live.cluster.apply(manifest)
        run = wait_until_started(live, snapshot, image, is_same_template)
        done.read_back = {"revision": run.canary_hash, "image": image}
    return run


def delete_revision(live: LiveRollout, context: ReleaseContext, found: ReplicaSet) -> None:
    """Delete an earlier revision once it has no pods, so that the controller starts a canary for its template."""
    live.wait_until(
        live.read,
        lambda snapshot: f"it still has {count} pods" if (count := len(snapshot.pods_of(found.hash))) else None,
        f"the pods of revision {found.revision} to terminate",
        deadline=live.environment.canary.ready_deadline,
    )
    before = {"exists": True, "revision": found.revision, "image": found.image}
    with effect(context, planned_step(Phase.APPLICATION, f"ReplicaSet {found.name}"), before) as done:
        live.cluster.delete("ReplicaSet", found.name, live.rollout_spec.namespace)
        live.wait_until(
            live.read,
            lambda snapshot: "its ReplicaSet still exists" if snapshot.replica_set(found.hash) else None,
            f"the deletion of revision {found.revision}",
            deadline=live.environment.canary.weight_deadline,
        )
        done.read_back = {"exists": False}


def resume_canary(live: LiveRollout, context: ReleaseContext, snapshot: RolloutSnapshot, image: str) -> CanaryRun:
    """Record the canary as an effect of this release, which can then roll it back."""
    with effect(context, live.journal_step, describe_for_journal(snapshot)) as done:
        done.read_back = {"revision": snapshot.current_hash, "image": image, "step": snapshot.step_index}
    return CanaryRun(snapshot.stable_hash, snapshot.current_hash, image, steps_left(snapshot, live.rollout_spec.steps))


def wait_until_started(
    live: LiveRollout, snapshot: RolloutSnapshot | None, image: str, is_same_template: bool
) -> CanaryRun:
    """snapshot: from before the Rollout was applied. is_same_template: its pods already had this template."""
    if snapshot is None or not snapshot.stable_hash:
        return wait_until_installed(live, image)
    if is_same_template:
        return CanaryRun(snapshot.stable_hash, snapshot.stable_hash, image, ())
    started = live.wait_until(
        live.read_unless_broken,
        lambda now: why_not_started(now, snapshot.stable_hash, image),
        f"a revision with {image}",
        deadline=live.environment.canary.ready_deadline,
    )
    return CanaryRun(snapshot.stable_hash, started.current_hash, image, live.rollout_spec.steps)


def wait_until_installed(live: LiveRollout, image: str) -> CanaryRun:
    """Wait until all pods serve and run this image. A Rollout without a stable revision starts all pods at once."""
    done = live.wait_until(
        live.read_unless_broken,
        lambda now: why_not_done(now, now.current_hash),
        f"all pods of the first revision with {image}",
        deadline=live.environment.canary.ready_deadline,
    )
    others = [pod.name for pod in done.pods_of(done.current_hash) if image not in pod.images]
    if others:
        raise RolloutBroken(f"Rollout {done.name} is Healthy, but these pods do not run {image}: {', '.join(others)}.")
    return CanaryRun("", done.current_hash, image, ())


@task(**RETRIED, task_run_name="wait for the pause at {step.weight_percent} %")
def wait_until_paused(environment: Environment, canary: CanaryRun, step: CanaryStep) -> None:
    """Wait until the Rollout is at this pause, the pods of the step are available and its weight is set."""
    live = connect_rollout(environment)
    live.wait_until(
        lambda: live.read_unless_broken(canary.canary_hash),
        lambda now: why_not_at_pause(now, step, canary.canary_hash),
        f"the pause at {step.weight_percent} %",
        deadline=environment.canary.ready_deadline,
    )


@task(**RETRIED, task_run_name="confirm that pods with hash {canary.canary_hash} serve all traffic")
def confirm_promoted(environment: Environment, canary: CanaryRun) -> None:
    """Wait until the revision has all pods and every listener rule sends all requests to it.

    Raises NotPromoted if a pod cannot serve, or if an alarm that was not in ALARM before the canary is in ALARM now.
    Requests are not judged, because there is no other revision to compare with.
    """
    live = connect_rollout(environment)
    live.wait_until(
        lambda: read_promotion(live, canary),
        lambda now: why_not_done(now, canary.canary_hash),
        "the promotion of the new revision",
        deadline=environment.canary.ready_deadline,
    )
    # The creation of a load balancer takes minutes.
    is_first = not canary.stable_hash
    live.wait_for_weight(0, environment.canary.ready_deadline if is_first else environment.canary.weight_deadline)


def read_promotion(live: LiveRollout, canary: CanaryRun) -> RolloutSnapshot:
    """The Rollout after its last pause. Raises NotPromoted if an alarm entered ALARM."""
    snapshot = live.read_unless_broken(canary.canary_hash)
    # Without a canary, it is unknown which alarms were in ALARM before.
    newly_firing = find_newly_firing(canary.firing_before, live.read_firing_alarms()) if canary.steps else []
    if newly_firing:
        alarm = f"An alarm entered ALARM after the last pause of Rollout {snapshot.name}: {newly_firing[0]}."
        raise NotPromoted(f"{alarm} {snapshot.describe_traffic()}", is_failure=True)
    return snapshot
