"""The cluster's add-ons: looked for, and installed from the manifests that the environment's file pins."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from clients.cluster import Cluster
from clients.downloads import download
from delivery.application.addons import (
    MEND,
    ObservedAddon,
    describe_state,
    is_as_wanted,
    plan_addon,
    plan_addons,
    read_version,
)
from delivery.environment import Addon, Environment, PinnedManifest
from delivery.errors import NotApplied, NotFound
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase, StepAction
from delivery.release import Release
from delivery.rollout.manifests import Manifest, parse_manifests
from tasks.rollout.clusters import find_cluster, open_cluster
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN, poll_until
from tasks.state.journal import effect

DEFINITION = "CustomResourceDefinition"
# What others need stands before them, whatever the manifest's order.
FIRST = ("Namespace", DEFINITION)


@task(cache_policy=NO_CACHE, task_run_name="plan the add-ons of {environment.name}")
def make_addon_plan(environment: Environment) -> PartPlan:
    """What a release would install, and what it misses."""
    return plan_addons(environment.addons.wanted, observe_addons(environment))


@task(**ASKED_AGAIN, task_run_name="observe the add-ons")
def observe_addons(environment: Environment) -> dict[str, ObservedAddon] | None:
    """Each wanted add-on by name; None where the cluster does not exist yet."""
    cluster = find_cluster(environment)
    if cluster is None:
        return None
    return {addon.name: observe_addon(cluster, addon) for addon in environment.addons.wanted}


def observe_addon(cluster: Cluster, addon: Addon) -> ObservedAddon:
    deployment = cluster.read("Deployment", addon.deployment, addon.namespace)
    missing = tuple(name for name in addon.definitions if cluster.read(DEFINITION, name) is None)
    if deployment is None:
        return ObservedAddon(version=None, missing=missing)
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    available = deployment.get("status", {}).get("availableReplicas") or 0
    return ObservedAddon(version=read_version(image), is_available=available > 0, missing=missing)


@task(**ASKED_AGAIN, task_run_name="check the add-on {addon.name}")
def configure_addon(environment: Environment, release: Release, addon: Addon) -> None:
    """The add-on is there: in the version wanted where its manifest is pinned, installed from that and read back.

    Without a pinned manifest another version than the one wanted is left and told, and one that is missing and that a
    release cannot do without raises NotFound. Raises Altered where the manifest is another
    than the one pinned, NotApplied where it was applied and does not come about.
    """
    cluster = open_cluster(environment)
    observed = observe_addon(cluster, addon)
    plan = plan_addon(addon, observed)
    if plan.refusals:
        raise NotFound(f"{describe_state(addon, observed)} {MEND}")
    if addon.manifest is not None and any(step.action is not StepAction.NOTHING for step in plan.steps):
        step = planned_step(Phase.ADDONS, addon.name)
        with effect(environment, release, step, observed.model_dump(mode="json")) as done:
            install(environment, cluster, addon, addon.manifest)
            done.read_back = read_back(environment, cluster, addon).model_dump(mode="json")
    progress("; ".join(plan.findings) or f"{addon.name}: {addon.version}")


def install(environment: Environment, cluster: Cluster, addon: Addon, pinned: PinnedManifest) -> None:
    """Apply every object of the manifest; one without a namespace goes to the add-on's."""
    text = download(environment, pinned.url, pinned.sha256)
    objects = sorted(parse_manifests({pinned.url: text})[pinned.url], key=lambda found: found["kind"] not in FIRST)
    if cluster.read("Namespace", addon.namespace) is None:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": addon.namespace}})
    for manifest in objects:
        await_kind(environment, cluster, manifest)
        cluster.apply(place(cluster, manifest, addon.namespace))


def await_kind(environment: Environment, cluster: Cluster, manifest: Manifest) -> None:
    """A kind that the manifest itself defines is served a little later."""
    kind = manifest["apiVersion"], manifest["kind"]
    _, is_served = poll_until(
        lambda: cluster.serves(*kind), bool, poll=environment.stacks.poll, deadline=environment.addons.deadline
    )
    if not is_served:
        raise NotApplied(
            f"The cluster does not serve {kind[1]} of {kind[0]} {environment.addons.deadline} after its definition was "
            "applied. Look at the definition's conditions, then start the release again."
        )


def place(cluster: Cluster, manifest: Manifest, namespace: str) -> Manifest:
    if not cluster.is_namespaced(manifest["apiVersion"], manifest["kind"]):
        return manifest
    return {**manifest, "metadata": {"namespace": namespace, **manifest["metadata"]}}


def read_back(environment: Environment, cluster: Cluster, addon: Addon) -> ObservedAddon:
    observed, is_installed = poll_until(
        lambda: observe_addon(cluster, addon),
        lambda seen: is_as_wanted(addon, seen),
        poll=environment.stacks.poll,
        deadline=environment.addons.deadline,
    )
    if not is_installed:
        raise NotApplied(
            f"{describe_state(addon, observed)} Its manifest was applied {environment.addons.deadline} ago. Look at "
            "its pods, then start the release again."
        )
    return observed
