"""Planning the application: what applying its manifests would change, and whether a canary follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.environment import Environment
from delivery.plan import PartPlan, Phase, Step, StepAction
from delivery.rollout.conditions import is_inside_window, why_not_ready_to_start
from delivery.rollout.manifests import HASH_LABEL, CanaryStep, Manifest, RolloutSpec, setting_variable
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot

# The API server's own bookkeeping, which differs without anything having changed.
BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


@dataclass(frozen=True)
class CanaryRun:
    """A revision on its way to all traffic. stable_hash: empty at a first installation.

    steps: the pauses that are left, none where the controller takes no steps. firing_before: the alarms that it has not
    set off.
    """

    stable_hash: str
    canary_hash: str
    image: str
    steps: tuple[CanaryStep, ...]
    firing_before: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ObjectPreview:
    """What applying one manifest would do. changes: dotted paths that would differ; None: the object is missing."""

    kind: str
    name: str
    changes: tuple[str, ...] | None

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Preview:
    """Everything that applying the manifests would do. template: of the pods, as the cluster would hold it, without
    the hash label; None while the cluster or its namespace does not exist.
    """

    objects: tuple[ObjectPreview, ...]
    template: Mapping[str, Any] | None = None


def image_reference(environment: Environment, artifact_digest: str) -> str:
    """The image by digest in the account's registry."""
    registry = f"{environment.aws.account_id}.dkr.ecr.{environment.aws.region}.amazonaws.com"
    return f"{registry}/{environment.application.repository}@{artifact_digest}"


def variables_of(environment: Environment, artifact_digest: str, settings_names: Mapping[str, str]) -> dict[str, str]:
    """What the manifests may use. settings_names: `msk-config` -> its name in the cluster, with its hash."""
    return {
        "PROJECT": environment.project,
        "ENVIRONMENT": environment.name,
        "IMAGE": image_reference(environment, artifact_digest),
        "SSL_CERTIFICATE_ARN": environment.application.certificate_arn,
        "MIN_SUCCESS_RATE": f"{environment.canary.min_success_rate:g}",
        **{setting_variable(name): actual for name, actual in settings_names.items()},
    }


def template_probe(rollout: Manifest) -> Manifest:
    """A ReplicaSet with the Rollout's pod template.

    Asked for as a dry run it comes back with the API server's defaults, which a custom kind is not given: only so can
    the template be compared with the one of a revision.
    """
    metadata = {"name": f"{rollout['metadata']['name']}-preview", "namespace": rollout["metadata"]["namespace"]}
    spec = {"replicas": 0, "selector": rollout["spec"]["selector"], "template": rollout["spec"]["template"]}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def clean_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """A revision's pod template without what tells it from an equal one."""
    metadata = {key: value for key, value in template.get("metadata", {}).items() if key != "creationTimestamp"}
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def find_changes(live: Mapping[str, Any], applied: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted paths at which an object would differ; its status and the API server's bookkeeping aside.

    The pod template of a Rollout is left out: it is compared with its defaults, by `template_probe`.
    """
    before, after = (_comparable(found) for found in (live, applied))
    return tuple(_differences(before, after, ""))


def plan_application(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot | None, preview: Preview, image: str
) -> PartPlan:
    """A step for each object, the Rollout last, which says how the traffic would move."""
    steps = [_object_step(found) for found in preview.objects if found.kind != "Rollout"]
    rollout = next(found for found in preview.objects if found.kind == "Rollout")
    refusals = _refusals(snapshot) if snapshot else ()
    return PartPlan(
        steps=(*steps, _rollout_step(rollout_spec, snapshot, rollout, preview.template, image)), refusals=refusals
    )


def plan_unseen(manifests: Iterable[Manifest], rollout_spec: RolloutSpec, image: str, why: str) -> PartPlan:
    """The plan while there is no cluster to ask: everything is new. why: what it waits for."""
    objects = tuple(ObjectPreview(found["kind"], found["metadata"]["name"], None) for found in manifests)
    plan = plan_application(rollout_spec, None, Preview(objects), image)
    *others, rollout = plan.steps
    return PartPlan(steps=(*others, rollout.model_copy(update={"changes": (*rollout.changes, why)})))


def can_resume(snapshot: RolloutSnapshot, template: Mapping[str, Any] | None) -> bool:
    """Whether a canary under way is of the very template that is to be applied, and was not aborted."""
    is_same = snapshot.current is not None and clean_template(snapshot.current.template) == template
    return snapshot.is_unfinished and is_same and not snapshot.is_abort_asked


def is_stable_already(snapshot: RolloutSnapshot, template: Mapping[str, Any] | None) -> bool:
    """Whether all traffic goes to pods of this very template, and nothing is under way."""
    stable = snapshot.stable
    is_same = stable is not None and clean_template(stable.template) == template
    return is_same and why_not_ready_to_start(snapshot) is None


def window_revisions(snapshot: RolloutSnapshot, template: Mapping[str, Any] | None) -> tuple[ReplicaSet, ...]:
    """The earlier revisions of this template that the controller would give all traffic at once, without a step.

    It takes what is in its rollback window for proved; one whose canary failed is in there as well.
    """
    same = (found for found in snapshot.replica_sets if clean_template(found.template) == template)
    return tuple(found for found in same if is_inside_window(snapshot, found.hash))


def steps_left(snapshot: RolloutSnapshot, steps: Sequence[CanaryStep]) -> tuple[CanaryStep, ...]:
    """The pauses that are still before the controller, the one it stands at included."""
    return tuple(step for step in steps if step.pause_index >= (snapshot.step_index or 0))


def weights_ahead(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot | None, template: Mapping[str, Any] | None
) -> tuple[int, ...]:
    """The shares in percent at which a canary of this template would be judged; none where there would be no canary."""
    if snapshot is None or not snapshot.stable_hash or is_stable_already(snapshot, template):
        return ()
    steps = steps_left(snapshot, rollout_spec.steps) if can_resume(snapshot, template) else rollout_spec.steps
    return tuple(step.weight_percent for step in steps)


def _object_step(found: ObjectPreview) -> Step:
    if found.changes is None:
        return Step(phase=Phase.APPLICATION, name=found.title, action=StepAction.CREATE)
    action = StepAction.CHANGE if found.changes else StepAction.NOTHING
    return Step(phase=Phase.APPLICATION, name=found.title, action=action, changes=found.changes)


def _refusals(snapshot: RolloutSnapshot) -> tuple[str, ...]:
    """What does not pass by itself, and leaves a canary nothing to be compared with."""
    if snapshot.is_paused_manually:
        return (f"Rollout {snapshot.name} is paused by hand: set spec.paused to false.",)
    if snapshot.phase == "Degraded" and snapshot.is_observed and not snapshot.is_unfinished:
        way_out = "roll back to a revision that serves, or delete the Rollout for a first installation"
        return (f"Rollout {snapshot.name} is Degraded with its stable revision ({snapshot.message}): {way_out}.",)
    return ()


def _rollout_step(
    rollout_spec: RolloutSpec,
    snapshot: RolloutSnapshot | None,
    found: ObjectPreview,
    template: Mapping[str, Any] | None,
    image: str,
) -> Step:
    if snapshot is None or found.changes is None:
        changes = (f"image {image}", "first installation: no canary, all pods at once, followed until they serve")
        return Step(phase=Phase.APPLICATION, name=found.title, action=StepAction.CREATE, changes=changes)
    if is_stable_already(snapshot, template) and not found.changes:
        return Step(phase=Phase.APPLICATION, name=found.title, action=StepAction.NOTHING)
    changes = (*found.changes, *_describe_way(rollout_spec, snapshot, template, image))
    return Step(phase=Phase.APPLICATION, name=found.title, action=StepAction.CHANGE, changes=changes)


def _describe_way(
    rollout_spec: RolloutSpec, snapshot: RolloutSnapshot, template: Mapping[str, Any] | None, image: str
) -> tuple[str, ...]:
    """How the traffic would move, a line each."""
    if is_stable_already(snapshot, template):
        return ()
    lines = [f"image {snapshot.stable.image if snapshot.stable else 'none'} -> {image}"]
    if snapshot.is_unfinished and can_resume(snapshot, template):
        return (*lines, f"an unfinished canary of it is gone on with, at step {snapshot.step_index}")
    if snapshot.is_unfinished:
        lines.append(
            f"an unfinished canary of {snapshot.current.image if snapshot.current else 'another'} is aborted first"
        )
    lines += [
        f"revision {found.revision} of it is taken away first: the controller would give it all traffic at once"
        for found in window_revisions(snapshot, template)
    ]
    return (
        *lines,
        f"canary at {', '.join(str(step.weight_percent) for step in rollout_spec.steps)} %, then all traffic",
    )


def _comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in found["metadata"].items() if key not in BOOKKEEPING}
    spec = {
        key: value for key, value in found.get("spec", {}).items() if found["kind"] != "Rollout" or key != "template"
    }
    rest = {key: value for key, value in found.items() if key not in ("metadata", "spec", "status")}
    return {**rest, "metadata": metadata, "spec": spec}


def _differences(before: Any, after: Any, path: str) -> Iterable[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield path
