"""The application's objects: read, rendered for a release, and planned by dry runs."""

from collections.abc import Mapping

from prefect import task

from clients.manifests import read_manifests
from delivery.application.addons import NEEDED, are_installed, refuse_missing
from delivery.application.planning import (
    ObjectPreview,
    Preview,
    clean_template,
    find_changes,
    image_reference,
    plan_application,
    plan_unseen,
    template_probe,
    variables_of,
    weights_ahead,
)
from delivery.application.rerelease import ambiguous_revisions, describe_ambiguous_revision
from delivery.environment import Environment
from delivery.errors import NotFound
from delivery.plan import PartPlan
from delivery.rollout.manifests import Manifest, render_manifests, without_controllers_fields
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.application.connections import observe_settings
from tasks.application.forecast import forecast_traffic
from tasks.rollout.live import LiveRollout, connect_rollout, read_objects, read_rollout_spec
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.history import read_journals_of


def read_workload(environment: Environment) -> RolloutSnapshot | None:
    """The Rollout with its revisions and pods; None before the first installation. NotFound without its cluster."""
    return connect_rollout(environment).find()


def find_workload(environment: Environment) -> RolloutSnapshot | None:
    """The same; None as well where there is no cluster yet, or one that knows no Rollouts."""
    try:
        return read_workload(environment)
    except NotFound:
        return None


@task(**ASKED_AGAIN, task_run_name="plan the application of {environment.name}")
def make_application_plan(environment: Environment, artifact_digest: str, *, canary: bool = False) -> PartPlan:
    """What a release would do to each object, and how its traffic would move; nothing is stored.

    canary: an earlier revision that served is judged like a new one; otherwise it is a refusal that asks.
    """
    settings = observe_settings.fn(environment)
    if settings.missing:
        why = f"known after {', '.join(settings.missing)}"
        image = image_reference(environment, artifact_digest)
        return plan_unseen(read_objects(environment), read_rollout_spec(environment), image, why)
    live = connect_rollout(environment)
    names = {setting.base_name: setting.name for setting in settings.wanted}
    manifests = render_application(environment, artifact_digest, names)
    return make_object_plan(live, manifests, artifact_digest, canary=canary)


def make_object_plan(
    live: LiveRollout, manifests: tuple[Manifest, ...], artifact_digest: str, *, canary: bool = False
) -> PartPlan:
    """The plan for objects whose variables are known; a refusal alone where the cluster does not know their kinds."""
    needed = {*NEEDED, *((manifest["apiVersion"], manifest["kind"]) for manifest in manifests)}
    if missing := [kind for kind in needed if not live.cluster.serves(*kind)]:
        if are_installed(live.environment.addons.wanted, missing):
            image = image_reference(live.environment, artifact_digest)
            return plan_unseen(manifests, live.rollout_spec, image, "known after the add-ons")
        return PartPlan(refusals=refuse_missing(missing))
    image, snapshot = image_reference(live.environment, artifact_digest), live.find()
    preview = preview_application(live, manifests)
    plan = plan_application(live.rollout_spec, snapshot, preview, image)
    questions = () if canary else refuse_ambiguous_revisions(live.environment, snapshot, preview)
    forecast_findings = forecast_traffic(live, weights_ahead(live.rollout_spec, snapshot, preview.template))
    return plan.model_copy(update={"findings": forecast_findings, "refusals": (*plan.refusals, *questions)})


def refuse_ambiguous_revisions(
    environment: Environment, snapshot: RolloutSnapshot | None, preview: Preview
) -> tuple[str, ...]:
    """A refusal for each revision that may have served, by the journals, and would be judged again unasked."""
    found = ambiguous_revisions(snapshot, preview.template)
    if snapshot is None or not found:
        return ()
    journals = read_journals_of(environment, snapshot)
    asked = (describe_ambiguous_revision(environment.name, revision, journals) for revision in found)
    return tuple(question for question in asked if question)


def render_application(
    environment: Environment, artifact_digest: str, settings_names: Mapping[str, str]
) -> tuple[Manifest, ...]:
    """The objects of a release, in the order to apply them."""
    variables = variables_of(environment, artifact_digest, settings_names)
    return render_manifests(read_manifests(environment.application.manifests), variables)


def preview_application(live: LiveRollout, manifests: tuple[Manifest, ...]) -> Preview:
    """What applying the manifests would change, by dry runs; nothing is stored."""
    objects = tuple(preview_object(live, manifest) for manifest in manifests)
    rollout = next(manifest for manifest in manifests if manifest["kind"] == "Rollout")
    has_namespace = live.cluster.read("Namespace", live.rollout_spec.namespace) is not None
    probe = live.cluster.apply(template_probe(rollout), dry_run=True) if has_namespace else None
    return Preview(objects, clean_template(probe["spec"]["template"]) if probe else None)


def preview_object(live: LiveRollout, manifest: Manifest) -> ObjectPreview:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    found = live.cluster.read(kind, name, manifest["metadata"].get("namespace"))
    if found is None:
        return ObjectPreview(kind, name, None)
    applied = live.cluster.apply(without_controllers_fields(manifest, found), dry_run=True)
    return ObjectPreview(kind, name, find_changes(found, applied))
