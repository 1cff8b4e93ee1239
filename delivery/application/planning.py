"""The plan of the application: what applying its manifests would change, and whether a canary follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.environment import Environment
from delivery.plan import PartPlan, Phase, Step, StepAction
from delivery.rollout.conditions import is_in_rollback_window, why_not_ready_to_start
from delivery.rollout.manifests import HASH_LABEL, CanaryStep, Manifest, RolloutSpec, setting_variable
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot

# Metadata that the API server maintains. It differs even if nothing was changed.
SERVER_METADATA = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


@dataclass(frozen=True)
class CanaryRun:
    """A rollout of a revision. stable_hash, canary_hash: pod-template hashes; stable_hash: empty in an installation.

    steps: the canary steps that remain; empty if the controller runs none. firing_before: the alarms that were in ALARM
    before the canary, so that they do not count against it.
    """

    stable_hash: str
    canary_hash: str
    image: str
    steps: tuple[CanaryStep, ...]
    firing_before: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ObjectPreview:
    """What applying a manifest would do. changes: dotted paths that would differ; None if the object does not exist."""

    kind: str
    name: str
    changes: tuple[str, ...] | None

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Preview:
    """What applying all manifests would do.

    template: the pod template with the defaults of the API server, without the hash label. None if the namespace does
    not exist yet.
    """

    objects: tuple[ObjectPreview, ...]
    template: Mapping[str, Any] | None = None


def image_reference(environment: Environment, artifact_digest: str) -> str:
    """The image in the registry of the account, with its digest."""
    registry = f"{environment.aws.account_id}.dkr.ecr.{environment.aws.region}.amazonaws.com"
    return f"{registry}/{environment.application.repository}@{artifact_digest}"


def variables_of(environment: Environment, artifact_digest: str, settings_names: Mapping[str, str]) -> dict[str, str]:
    """The variables of the manifests. settings_names: `msk-config` -> its name in the cluster, with its hash."""
    return {
        "PROJECT": environment.project,
        "ENVIRONMENT": environment.name,
        "IMAGE": image_reference(environment, artifact_digest),
        "SSL_CERTIFICATE_ARN": environment.application.certificate_arn,
        "MIN_SUCCESS_RATE": f"{environment.canary.min_success_rate:g}",
        **{setting_variable(base_name): name for base_name, name in settings_names.items()},
    }


def template_probe(rollout: Manifest) -> Manifest:
    """A ReplicaSet with the pod template of the Rollout, for a dry run.

    The API server sets the defaults in the template of a ReplicaSet, but not in that of a custom resource. Only a
    template with defaults can be compared with the template of a revision.
    """
    metadata = {"name": f"{rollout['metadata']['name']}-preview", "namespace": rollout["metadata"]["namespace"]}
    spec = {"replicas": 0, "selector": rollout["spec"]["selector"], "template": rollout["spec"]["template"]}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def clean_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """A pod template without the fields that differ between equal templates."""
    metadata = {key: value for key, value in template.get("metadata", {}).items() if key != "creationTimestamp"}
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def find_changes(live: Mapping[str, Any], applied: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted paths at which an object would differ, except in its status and in the metadata of the API server.

    The pod template of a Rollout is not compared here: it has no defaults, see `template_probe`.
    """
    before, after = (_comparable(manifest) for manifest in (live, applied))
    return tuple(_differences(before, after, ""))


def plan_application(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot | None, preview: Preview, image: str, environment_name: str
) -> PartPlan:
    """A step for each object. The last one is of the Rollout and says how the traffic would move."""
    refusals = _refusals(snapshot, environment_name) if snapshot else ()
    return PartPlan(steps=_steps(rollout_spec, snapshot, preview, image), refusals=refusals)


def plan_new_application(
    manifests: Iterable[Manifest], rollout_spec: RolloutSpec, image: str, known_after: str
) -> PartPlan:
    """The plan without a cluster: all objects are created. known_after: a line about when the changes are known."""
    objects = tuple(ObjectPreview(manifest["kind"], manifest["metadata"]["name"], None) for manifest in manifests)
    *others, rollout = _steps(rollout_spec, None, Preview(objects), image)
    return PartPlan(steps=(*others, rollout.model_copy(update={"changes": (*rollout.changes, known_after)})))


def can_resume(snapshot: RolloutSnapshot, template: Mapping[str, Any] | None) -> bool:
    """Whether a canary of exactly this template is under way and was not aborted."""
    is_same = snapshot.current is not None and clean_template(snapshot.current.template) == template
    return snapshot.is_unfinished and is_same and not snapshot.is_abort_requested


def is_stable_already(snapshot: RolloutSnapshot, template: Mapping[str, Any] | None) -> bool:
    """Whether all traffic goes to pods of exactly this template, and no canary is under way."""
    stable = snapshot.stable
    is_same = stable is not None and clean_template(stable.template) == template
    return is_same and why_not_ready_to_start(snapshot) is None


def window_revisions(snapshot: RolloutSnapshot, template: Mapping[str, Any] | None) -> tuple[ReplicaSet, ...]:
    """The earlier revisions of this template that the controller would give all traffic at once, without canary steps.

    Those are all in the rollback window, even if their canary failed.
    """
    same = (revision for revision in snapshot.replica_sets if clean_template(revision.template) == template)
    return tuple(revision for revision in same if is_in_rollback_window(snapshot, revision.hash))


def steps_left(snapshot: RolloutSnapshot, steps: Sequence[CanaryStep]) -> tuple[CanaryStep, ...]:
    """The canary steps that remain, including the current one."""
    return tuple(step for step in steps if step.pause_index >= (snapshot.step_index or 0))


def weights_ahead(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot | None, template: Mapping[str, Any] | None
) -> tuple[int, ...]:
    """The weights at which a canary of this template would be judged, in percent. Empty without a canary."""
    if snapshot is None or not snapshot.stable_hash or is_stable_already(snapshot, template):
        return ()
    steps = steps_left(snapshot, rollout_spec.steps) if can_resume(snapshot, template) else rollout_spec.steps
    return tuple(step.weight_percent for step in steps)


def _steps(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot | None, preview: Preview, image: str
) -> tuple[Step, ...]:
    steps = [_object_step(item) for item in preview.objects if item.kind != "Rollout"]
    rollout = next(item for item in preview.objects if item.kind == "Rollout")
    return (*steps, _rollout_step(rollout_spec, snapshot, rollout, preview.template, image))


def _object_step(preview: ObjectPreview) -> Step:
    if preview.changes is None:
        return Step(phase=Phase.APPLICATION, name=preview.title, action=StepAction.CREATE)
    action = StepAction.CHANGE if preview.changes else StepAction.NOTHING
    return Step(phase=Phase.APPLICATION, name=preview.title, action=action, changes=preview.changes)


def _refusals(snapshot: RolloutSnapshot, environment_name: str) -> tuple[str, ...]:
    """States that do not end without a person, and in which a canary cannot be compared with the stable revision."""
    if snapshot.is_paused_manually:
        return (f"Rollout {snapshot.name} is paused manually. Set spec.paused to false, then release again.",)
    if snapshot.phase == "Degraded" and snapshot.is_observed and not snapshot.is_unfinished:
        degraded = f"Rollout {snapshot.name} is Degraded and has no canary ({snapshot.message})."
        advice = f"Roll back: slipway rollback {environment_name}; or delete the Rollout for a first installation."
        return (f"{degraded} {advice}",)
    return ()


def _rollout_step(
    rollout_spec: RolloutSpec,
    snapshot: RolloutSnapshot | None,
    preview: ObjectPreview,
    template: Mapping[str, Any] | None,
    image: str,
) -> Step:
    if snapshot is None or preview.changes is None:
        first = "first installation: no canary, all pods start at once, and the release waits until they serve"
        changes = (f"image {image}", first)
        return Step(phase=Phase.APPLICATION, name=preview.title, action=StepAction.CREATE, changes=changes)
    if is_stable_already(snapshot, template) and not preview.changes:
        return Step(phase=Phase.APPLICATION, name=preview.title, action=StepAction.NOTHING)
    changes = (*preview.changes, *_describe_rollout(rollout_spec, snapshot, template, image))
    return Step(phase=Phase.APPLICATION, name=preview.title, action=StepAction.CHANGE, changes=changes)


def _describe_rollout(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot, template: Mapping[str, Any] | None, image: str
) -> tuple[str, ...]:
    """One line for each change of the traffic, and for what comes before it."""
    if is_stable_already(snapshot, template):
        return ()
    lines = [f"image {snapshot.stable.image if snapshot.stable else 'none'} -> {image}"]
    if snapshot.is_unfinished and can_resume(snapshot, template):
        return (*lines, f"an unfinished canary of this image is resumed at step {snapshot.step_index}")
    if snapshot.is_unfinished:
        other = snapshot.current.image if snapshot.current else "another image"
        lines.append(f"an unfinished canary of {other} is aborted first")
    lines += [
        f"deletes the ReplicaSet of revision {revision.revision} first, so that the canary steps run"
        for revision in window_revisions(snapshot, template)
    ]
    weights = ", ".join(str(step.weight_percent) for step in rollout_spec.steps)
    return (*lines, f"canary at {weights} %, then all traffic")


def _comparable(manifest: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in SERVER_METADATA}
    ignored = ("template",) if manifest["kind"] == "Rollout" else ()
    spec = {key: value for key, value in manifest.get("spec", {}).items() if key not in ignored}
    rest = {key: value for key, value in manifest.items() if key not in ("metadata", "spec", "status")}
    return {**rest, "metadata": metadata, "spec": spec}


def _differences(before: Any, after: Any, path: str) -> Iterable[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield path
