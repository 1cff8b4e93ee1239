"""The Rollout: brought to rest, applied, and followed to its first pause, to each next one and to its end."""

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
from delivery.environment import Environment
from delivery.errors import NotPromoted, RolloutBroken
from delivery.journal.step_names import planned_step
from delivery.plan import Phase
from delivery.release import Release
from delivery.rollout.conditions import why_not_at_pause, why_not_done, why_not_ready_to_start, why_not_started
from delivery.rollout.manifests import CanaryStep, Manifest, without_controllers_fields
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tasks.application.planning import find_workload, preview_application, render_application
from tasks.rollout.abort import abort_rollout
from tasks.rollout.describe import describe_before
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.journal import effect


@task(**ASKED_AGAIN, task_run_name="look for a canary that was left in {environment.name}")
def abort_other_canary(environment: Environment, release: Release) -> None:
    """Abort a canary of another artifact before anything that takes long: nobody judges it meanwhile.

    One of this artifact may be gone on with, as prepare_rollout finds.
    """
    snapshot = find_workload(environment)
    if snapshot is None or not snapshot.is_unfinished:
        return
    if snapshot.current is None or snapshot.current.artifact_digest != release.artifact_digest:
        abort_orphaned_canary(connect_rollout(environment), release, snapshot)


@task(**ASKED_AGAIN, task_run_name="bring {environment.name} to rest")
def prepare_rollout(environment: Environment, release: Release, settings_names: Mapping[str, str]) -> frozenset[str]:
    """Bring the Rollout to rest before it changes: another release's canary is aborted, ours is left under way.

    Returns the alarms that ring before this release's canary: none of a canary under way, which may have set them off.
    A template that changes in the middle of a canary would end pods that the load balancer still sends to.
    """
    live = connect_rollout(environment)
    snapshot = live.find()
    if snapshot is None or not snapshot.stable_hash:
        return frozenset()
    preview = preview_application(live, render_application(environment, release.artifact_digest, settings_names))
    if can_resume(snapshot, preview.template):
        progress(
            f"An earlier release left a canary of this artifact at step {snapshot.step_index}; it is gone on with. "
            "What rings of the environment's alarms counts as set off by it."
        )
        return frozenset()
    if snapshot.is_unfinished:
        abort_orphaned_canary(live, release, snapshot)
    deadline = environment.canary.ready_deadline
    live.wait_until(live.read, why_not_ready_to_start, "the stable revision to be well", deadline=deadline)
    return frozenset(live.read_firing_alarms())


def abort_orphaned_canary(live: LiveRollout, release: Release, snapshot: RolloutSnapshot) -> None:
    progress(f"An earlier release left a canary of {snapshot.current and snapshot.current.image}; it is aborted.")
    abort_rollout(live, release)


@task(**ASKED_AGAIN, task_run_name="apply {release.artifact_digest}")
def apply_application(
    environment: Environment, release: Release, settings_names: Mapping[str, str], firing_before: frozenset[str]
) -> CanaryRun:
    """Bring every object to its manifest, the Rollout last, and follow it until it has a revision of the artifact.

    A first installation has no canary: it is followed until its pods serve. Raises RolloutBroken, NotPromoted.
    """
    live = connect_rollout(environment)
    manifests = render_application(environment, release.artifact_digest, settings_names)
    preview = preview_application(live, manifests)
    for manifest, found in zip(manifests, preview.objects, strict=True):
        if manifest["kind"] != "Rollout" and found.changes != ():
            apply_object(live, release, manifest)
    image = image_reference(environment, release.artifact_digest)
    # The namespace may be as new as its objects; only now can the template be asked for.
    run = start_rollout(live, release, manifests[-1], preview_application(live, manifests[-1:]), image)
    return replace(run, firing_before=firing_before)


def apply_object(live: LiveRollout, release: Release, manifest: Manifest) -> None:
    kind, name, namespace = manifest["kind"], manifest["metadata"]["name"], manifest["metadata"].get("namespace")
    found = live.cluster.read(kind, name, namespace)
    step = planned_step(Phase.APPLICATION, f"{kind} {name}")
    with effect(live.environment, release, step, {"exists": found is not None}) as done:
        applied = live.cluster.apply(without_controllers_fields(manifest, found))
        done.read_back = {"resource_version": applied["metadata"]["resourceVersion"]}


def start_rollout(live: LiveRollout, release: Release, manifest: Manifest, preview: Preview, image: str) -> CanaryRun:
    """Apply the Rollout unless it is there already, and say which pauses are before it."""
    snapshot = live.find()
    if snapshot and snapshot.stable_hash and can_resume(snapshot, preview.template):
        return go_on(live, release, snapshot, image)
    is_there = snapshot is not None and is_stable_already(snapshot, preview.template)
    if snapshot and is_there and preview.objects[0].changes == ():
        return CanaryRun(snapshot.stable_hash, snapshot.current_hash, image, ())
    # Of one that served before, the plan has asked whether its canary is wanted.
    for found in window_revisions(snapshot, preview.template) if snapshot else ():
        delete_revision(live, release, found)
    with effect(live.environment, release, live.step, describe_before(snapshot)) as done:
        live.cluster.apply(manifest)
        run = follow_start(live, snapshot, image, is_there)
        done.read_back = {"revision": run.canary_hash, "image": image}
    return run


def delete_revision(live: LiveRollout, release: Release, found: ReplicaSet) -> None:
    """Take an earlier revision away, once it has no pods, so that the controller gives its template a canary."""
    live.wait_until(
        live.read,
        lambda snapshot: f"it has {count} pods" if (count := len(snapshot.pods_of(found.hash))) else None,
        f"revision {found.revision} to end its pods",
        deadline=live.environment.canary.ready_deadline,
    )
    before = {"exists": True, "revision": found.revision, "image": found.image}
    with effect(live.environment, release, planned_step(Phase.APPLICATION, f"ReplicaSet {found.name}"), before) as done:
        live.cluster.delete("ReplicaSet", found.name, live.rollout_spec.namespace)
        live.wait_until(
            live.read,
            lambda snapshot: "it is still there" if snapshot.replica_set(found.hash) else None,
            f"revision {found.revision} to be gone",
            deadline=live.environment.canary.weight_deadline,
        )
        done.read_back = {"exists": False}


def go_on(live: LiveRollout, release: Release, snapshot: RolloutSnapshot, image: str) -> CanaryRun:
    """Take over a canary that is under way; the journal has it as begun here, so that its way back is ours."""
    with effect(live.environment, release, live.step, describe_before(snapshot)) as done:
        done.read_back = {"revision": snapshot.current_hash, "image": image, "step": snapshot.step_index}
    return CanaryRun(snapshot.stable_hash, snapshot.current_hash, image, steps_left(snapshot, live.rollout_spec.steps))


def follow_start(live: LiveRollout, snapshot: RolloutSnapshot | None, image: str, is_there: bool) -> CanaryRun:
    """snapshot: from before the Rollout was applied. is_there: its pods were of this template already."""
    if snapshot is None or not snapshot.stable_hash:
        return follow_installation(live, image)
    if is_there:
        return CanaryRun(snapshot.stable_hash, snapshot.stable_hash, image, ())
    started = live.wait_until(
        live.look,
        lambda now: why_not_started(now, snapshot.stable_hash, image),
        f"a revision with {image}",
        deadline=live.environment.canary.ready_deadline,
    )
    return CanaryRun(snapshot.stable_hash, started.current_hash, image, live.rollout_spec.steps)


def follow_installation(live: LiveRollout, image: str) -> CanaryRun:
    """A Rollout without a stable revision gets all its pods at once: wait until they serve, of this very image."""
    done = live.wait_until(
        live.look,
        lambda now: why_not_done(now, now.current_hash),
        f"all pods of the first revision, {image}",
        deadline=live.environment.canary.ready_deadline,
    )
    others = [pod.name for pod in done.pods_of(done.current_hash) if image not in pod.images]
    if others:
        raise RolloutBroken(f"Rollout {done.name} is Healthy, but {', '.join(others)} run another image than {image}.")
    return CanaryRun("", done.current_hash, image, ())


@task(**ASKED_AGAIN, task_run_name="wait until the canary is at {step.weight_percent} %")
def wait_until_paused(environment: Environment, canary: CanaryRun, step: CanaryStep) -> None:
    """Follow the Rollout to this pause, where the step's pods are available and its weight is written."""
    live = connect_rollout(environment)
    live.wait_until(
        lambda: live.look(canary.canary_hash),
        lambda now: why_not_at_pause(now, step, canary.canary_hash),
        f"the pause at {step.weight_percent} %",
        deadline=environment.canary.ready_deadline,
    )


@task(**ASKED_AGAIN, task_run_name="confirm that {canary.canary_hash} serves all traffic")
def confirm_promoted(environment: Environment, canary: CanaryRun) -> None:
    """Follow the Rollout to its end, where the revision has every pod and every listener rule sends to it alone.

    Raises NotPromoted where a pod cannot serve, or an alarm began to ring since the canary did. Requests are not judged
    any more: there is no other revision to compare with.
    """
    live = connect_rollout(environment)
    live.wait_until(
        lambda: read_promotion(live, canary),
        lambda now: why_not_done(now, canary.canary_hash),
        "the new revision to take over",
        deadline=environment.canary.ready_deadline,
    )
    # A load balancer that is new takes minutes to be made.
    is_first = not canary.stable_hash
    live.wait_for_weight(0, environment.canary.ready_deadline if is_first else environment.canary.weight_deadline)


def read_promotion(live: LiveRollout, canary: CanaryRun) -> RolloutSnapshot:
    """The Rollout on its way from the last pause to its end."""
    snapshot = live.look(canary.canary_hash)
    # What rang before an installation, or a change that needs no canary, is not known.
    news = find_newly_firing(canary.firing_before, live.read_firing_alarms()) if canary.steps else []
    if news:
        sentence = f"An alarm began to ring after the last pause: {news[0]}. {snapshot.describe_traffic()}"
        raise NotPromoted(sentence, is_failure=True)
    return snapshot
