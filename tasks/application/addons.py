"""The add-ons of the cluster: read, and installed from the manifests that the settings pin."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from clients.cluster import Cluster
from clients.downloads import download
from delivery.application.addons import (
    ObservedAddon,
    describe_differences,
    describe_missing,
    is_as_specified,
    plan_addon,
    plan_addons,
    read_version,
)
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import NotApplied, NotFound
from delivery.fields import format_duration
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase, StepAction
from delivery.rollout.manifests import Manifest, parse_manifests
from delivery.settings.cluster import Addon, PinnedManifest
from tasks.rollout.clusters import find_cluster, open_cluster
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED, poll_until
from tasks.state.journal import effect

DEFINITION = "CustomResourceDefinition"
# The kinds that are applied first, because other objects of the manifest need them.
FIRST_KINDS = ("Namespace", DEFINITION)


@task(cache_policy=NO_CACHE, task_run_name="plan the add-ons of {environment.name}")
def make_addon_plan(environment: Environment) -> PartPlan:
    """The add-ons that a release would install, and those that are missing."""
    return plan_addons(environment.addons.wanted, observe_addons(environment))


@task(**RETRIED, task_run_name="read the add-ons")
def observe_addons(environment: Environment) -> dict[str, ObservedAddon] | None:
    """As read_addons, in a task run of its own."""
    return read_addons(environment)


def read_addons(environment: Environment) -> dict[str, ObservedAddon] | None:
    """Name -> add-on, for those in the settings. None if the cluster does not exist yet."""
    cluster = find_cluster(environment)
    if cluster is None:
        return None
    return {addon.name: read_addon(cluster, addon) for addon in environment.addons.wanted}


def read_addon(cluster: Cluster, addon: Addon) -> ObservedAddon:
    deployment = cluster.read("Deployment", addon.deployment, addon.namespace)
    missing = tuple(name for name in addon.definitions if cluster.read(DEFINITION, name) is None)
    if deployment is None:
        return ObservedAddon(version=None, missing=missing)
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    available = deployment.get("status", {}).get("availableReplicas") or 0
    return ObservedAddon(version=read_version(image), is_available=available > 0, missing=missing)


@task(**RETRIED, task_run_name="install or check the add-on {addon.name}")
def configure_addon(context: ReleaseContext, addon: Addon) -> None:
    """Install the add-on from its pinned manifest, unless it is as specified, and read it back.

    Without a pinned manifest, another version is reported and left as it is. Raises NotFound if the add-on is missing,
    has no pinned manifest, and the release needs it. Raises Altered if the manifest is not the pinned one, and
    NotApplied if the add-on is not as specified after the deadline.
    """
    ensure_addon(context, open_cluster(context.environment), addon)


def ensure_addon(context: ReleaseContext, cluster: Cluster, addon: Addon) -> None:
    """As configure_addon."""
    observed = read_addon(cluster, addon)
    plan = plan_addon(addon, observed)
    if plan.refusals:
        raise NotFound(describe_missing(addon, observed))
    if addon.manifest is not None and any(step.action is not StepAction.NOTHING for step in plan.steps):
        step = planned_step(Phase.ADDONS, addon.name)
        with effect(context, step, observed.model_dump(mode="json")) as done:
            install(context.environment, cluster, addon, addon.manifest)
            done.read_back = wait_until_installed(context.environment, cluster, addon).model_dump(mode="json")
    progress("; ".join(plan.findings) or f"{addon.name}: {addon.version}")


def install(environment: Environment, cluster: Cluster, addon: Addon, pinned: PinnedManifest) -> None:
    """Apply each object of the manifest. An object without a namespace gets the namespace of the add-on."""
    text = download(environment, pinned.url, pinned.sha256)
    parsed = parse_manifests({pinned.url: text})[pinned.url]
    manifests = sorted(parsed, key=lambda manifest: manifest["kind"] not in FIRST_KINDS)
    if cluster.read("Namespace", addon.namespace) is None:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": addon.namespace}})
    for manifest in manifests:
        wait_until_served(environment, cluster, manifest)
        cluster.apply(with_namespace(cluster, manifest, addon.namespace))


def wait_until_served(environment: Environment, cluster: Cluster, manifest: Manifest) -> None:
    """The API server serves a new kind a moment after its CustomResourceDefinition was applied."""
    kind = manifest["apiVersion"], manifest["kind"]
    _, is_served = poll_until(
        lambda: cluster.serves(*kind), bool, poll=environment.stacks.poll, deadline=environment.addons.deadline
    )
    if not is_served:
        raise NotApplied(
            f"The cluster still does not serve {kind[1]} of {kind[0]} after "
            f"{format_duration(environment.addons.deadline)}. Check the conditions of its CustomResourceDefinition, "
            "then start the release again."
        )


def with_namespace(cluster: Cluster, manifest: Manifest, namespace: str) -> Manifest:
    """The manifest, with this namespace if it needs one and has none."""
    if not cluster.is_namespaced(manifest["apiVersion"], manifest["kind"]):
        return manifest
    return {**manifest, "metadata": {"namespace": namespace, **manifest["metadata"]}}


def wait_until_installed(environment: Environment, cluster: Cluster, addon: Addon) -> ObservedAddon:
    observed, is_installed = poll_until(
        lambda: read_addon(cluster, addon),
        lambda observed: is_as_specified(addon, observed),
        poll=environment.stacks.poll,
        deadline=environment.addons.deadline,
    )
    if not is_installed:
        raise NotApplied(
            f"{describe_differences(addon, observed)} Its manifest was applied "
            f"{format_duration(environment.addons.deadline)} ago. Check its pods: kubectl get pods "
            f"-n {addon.namespace}. Then start the release again."
        )
    return observed
