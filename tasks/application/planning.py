"""The objects of the application: rendered for a release, and planned with dry runs."""

from collections.abc import Mapping

from prefect import task

from clients.manifests import read_manifests
from delivery.application.addons import NEEDED_KINDS, are_defined_by_addons, refuse_missing
from delivery.application.planning import (
    ObjectPreview,
    Preview,
    clean_template,
    find_changes,
    image_reference,
    plan_application,
    plan_new_application,
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
from tasks.application.connections import read_settings
from tasks.application.forecast import forecast_traffic
from tasks.rollout.live import LiveRollout, connect_rollout, load_manifests, read_rollout_spec
from tasks.runs.waiting import RETRIED
from tasks.state.history import read_journals_of


def read_rollout(environment: Environment) -> RolloutSnapshot | None:
    """The Rollout; None before the first installation. Raises NotFound if the cluster does not exist."""
    return connect_rollout(environment).find()


def find_rollout(environment: Environment) -> RolloutSnapshot | None:
    """The Rollout; None before the first installation, without a cluster, or without Argo Rollouts."""
    try:
        return read_rollout(environment)
    except NotFound:
        return None


@task(**RETRIED, task_run_name="plan the application of {environment.name}")
def make_application_plan(environment: Environment, artifact_digest: str, *, canary: bool = False) -> PartPlan:
    """What a release would change in each object, and how its traffic would move.

    canary: judge an earlier revision like a new one. Otherwise, the release of a recent revision is refused.
    """
    return plan_release(environment, artifact_digest, canary=canary)


def plan_release(environment: Environment, artifact_digest: str, *, canary: bool = False) -> PartPlan:
    """As make_application_plan."""
    settings = read_settings(environment)
    if settings.missing:
        known_after = settings.known_after("changes")
        image = image_reference(environment, artifact_digest)
        return plan_new_application(load_manifests(environment), read_rollout_spec(environment), image, known_after)
    live = connect_rollout(environment)
    names = {setting.base_name: setting.name for setting in settings.wanted}
    manifests = render_application(environment, artifact_digest, names)
    return make_object_plan(live, manifests, artifact_digest, canary=canary)


def make_object_plan(
    live: LiveRollout, manifests: tuple[Manifest, ...], artifact_digest: str, *, canary: bool = False
) -> PartPlan:
    """The plan for rendered manifests. If the cluster does not serve their kinds, it has only reasons to refuse."""
    needed = {*NEEDED_KINDS, *((manifest["apiVersion"], manifest["kind"]) for manifest in manifests)}
    if missing := [kind for kind in needed if not live.cluster.serves(*kind)]:
        if are_defined_by_addons(live.environment.addons.wanted, missing):
            image = image_reference(live.environment, artifact_digest)
            known_after = "changes are known after the add-ons are installed"
            return plan_new_application(manifests, live.rollout_spec, image, known_after)
        return PartPlan(refusals=refuse_missing(missing))
    image, snapshot = image_reference(live.environment, artifact_digest), live.find()
    preview = preview_application(live, manifests)
    plan = plan_application(live.rollout_spec, snapshot, preview, image, live.environment.name)
    ambiguous = () if canary else refuse_ambiguous_revisions(live.environment, snapshot, preview)
    forecast_findings = forecast_traffic(live, weights_ahead(live.rollout_spec, snapshot, preview.template))
    return plan.model_copy(update={"findings": forecast_findings, "refusals": (*plan.refusals, *ambiguous)})


def refuse_ambiguous_revisions(
    environment: Environment, snapshot: RolloutSnapshot | None, preview: Preview
) -> tuple[str, ...]:
    """A reason to refuse the release for each recent revision of the template that may have served."""
    revisions = ambiguous_revisions(snapshot, preview.template)
    if snapshot is None or not revisions:
        return ()
    journals = read_journals_of(environment, snapshot)
    reasons = (describe_ambiguous_revision(environment.name, revision, journals) for revision in revisions)
    return tuple(reason for reason in reasons if reason)


def render_application(
    environment: Environment, artifact_digest: str, settings_names: Mapping[str, str]
) -> tuple[Manifest, ...]:
    """The objects of a release, in the order to apply them."""
    variables = variables_of(environment, artifact_digest, settings_names)
    return render_manifests(read_manifests(environment.application.manifests), variables)


def preview_application(live: LiveRollout, manifests: tuple[Manifest, ...]) -> Preview:
    """What applying the manifests would change. It uses dry runs, so nothing is stored."""
    objects = tuple(preview_object(live, manifest) for manifest in manifests)
    rollout = next(manifest for manifest in manifests if manifest["kind"] == "Rollout")
    has_namespace = live.cluster.read("Namespace", live.rollout_spec.namespace) is not None
    probe = live.cluster.apply(template_probe(rollout), dry_run=True) if has_namespace else None
    return Preview(objects, clean_template(probe["spec"]["template"]) if probe else None)


def preview_object(live: LiveRollout, manifest: Manifest) -> ObjectPreview:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    existing = live.cluster.read(kind, name, manifest["metadata"].get("namespace"))
    if existing is None:
        return ObjectPreview(kind, name, None)
    applied = live.cluster.apply(without_controllers_fields(manifest, existing), dry_run=True)
    return ObjectPreview(kind, name, find_changes(existing, applied))
