"""Connection settings: made of stack outputs and secrets, put into the cluster under names that tell their content."""

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE

from clients.application_config import read_application_yml, read_database_ca
from clients.aws.cloudformation import read_outputs
from clients.aws.secrets import read_credentials
from clients.cluster import Cluster
from clients.manifests import read_manifests
from clients.topics.msk import read_bootstrap_brokers
from delivery.application.connections import (
    BASE_NAMES,
    NEEDED_OUTPUTS,
    ConnectionSetting,
    ConnectionValues,
    ObservedSettings,
    compare_settings,
    find_unused,
    plan_settings,
    render_settings,
)
from delivery.environment import Environment
from delivery.errors import NotApplied
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase
from delivery.release import Release
from delivery.rollout.manifests import FIELD_MANAGER, Manifest, parse_manifests
from delivery.stacks.outputs import StackOutputs
from tasks.rollout.clusters import open_cluster, outputs_of_cluster
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.journal import effect

KINDS = ("Secret", "ConfigMap")
# What names settings: a Rollout with the template it is asked for, a revision to go back to, and what runs.
USERS = ("Rollout", "ReplicaSet", "Pod")


@task(cache_policy=NO_CACHE, task_run_name="plan the connection settings of {environment.name}")
def make_settings_plan(environment: Environment) -> PartPlan:
    """Which settings a release would put into the cluster."""
    return plan_settings(observe_settings(environment))


@task(**ASKED_AGAIN, task_run_name="observe the connection settings")
def observe_settings(environment: Environment) -> ObservedSettings:
    """The settings as the stacks are now, by name, and whether the cluster has them. No value leaves this task."""
    outputs = read_outputs(environment)
    files = read_files(environment)
    if missing := outputs.missing(*NEEDED_OUTPUTS, *outputs_of_cluster(environment)):
        return ObservedSettings(missing=missing)
    wanted = render_settings(read_values(environment, outputs, files))
    cluster = open_cluster(environment, outputs)
    present = [
        (setting.kind, setting.name)
        for setting in wanted
        if cluster.read(setting.kind, setting.name, environment.application.namespace) is not None
    ]
    return compare_settings(wanted, present, list_unused(environment, cluster, wanted))


@task(**ASKED_AGAIN, task_run_name="apply the connection settings")
def apply_settings(environment: Environment, release: Release) -> dict[str, str]:
    """Put each setting that is missing into the cluster, and take away those that no revision names any more.

    Returns the guide's name of each setting -> its name in the cluster. Raises NotApplied where an object of the name
    holds something else.
    """
    outputs = read_outputs(environment)
    settings = render_settings(read_values(environment, outputs, read_files(environment)))
    cluster = open_cluster(environment, outputs)
    ensure_namespace(environment, release, cluster)
    for setting in settings:
        ensure_setting(environment, release, cluster, setting)
    for kind, name in list_unused(environment, cluster, settings):
        delete_setting(environment, release, cluster, kind, name)
    return {setting.base_name: setting.name for setting in settings}


def read_files(environment: Environment) -> dict[str, str]:
    """What the application is told by files; one that is missing is found out in the plan, before there are stacks."""
    return {
        "application_yml": read_application_yml(environment.application.manifests),
        "database_ca": read_database_ca(environment.application.database_ca),
    }


def read_values(environment: Environment, outputs: StackOutputs, files: Mapping[str, str]) -> ConnectionValues:
    """Raises NotFound where a stack was not deployed."""
    region = environment.aws.region
    credentials = read_credentials(outputs.need("database_secret_arn"), region)
    return ConnectionValues(
        bootstrap_servers=read_bootstrap_brokers(outputs.need("broker_cluster_arn"), region),
        database_host=outputs.need("database_host"),
        database_port=outputs.need("database_port"),
        database_name=outputs.need("database_name"),
        username=credentials.username,
        password=credentials.password,
        cache_host=outputs.need("cache_host"),
        cache_port=outputs.need("cache_port"),
        application_yml=files["application_yml"],
        database_ca=files["database_ca"],
    )


def ensure_namespace(environment: Environment, release: Release, cluster: Cluster) -> None:
    """The namespace exists; one that does is left as it is."""
    name = environment.application.namespace
    if cluster.read("Namespace", name) is not None:
        return
    with effect(environment, release, planned_step(Phase.SETTINGS, name), {"exists": False}) as done:
        applied = cluster.apply(namespace_manifest(environment))
        done.read_back = {"kind": "Namespace", "name": name, "uid": applied["metadata"]["uid"]}


def namespace_manifest(environment: Environment) -> Manifest:
    """As the application's manifests describe it, so that applying those later changes nothing."""
    name = environment.application.namespace
    parsed = parse_manifests(read_manifests(environment.application.manifests))
    described = (manifest for manifests in parsed.values() for manifest in manifests)
    bare: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    is_it = (
        manifest for manifest in described if (manifest["kind"], manifest["metadata"]["name"]) == ("Namespace", name)
    )
    return next(is_it, bare)


def ensure_setting(environment: Environment, release: Release, cluster: Cluster, setting: ConnectionSetting) -> None:
    """The object exists with its content; raises NotApplied when it holds something else, which its name rules out."""
    namespace = environment.application.namespace
    found = cluster.read(setting.kind, setting.name, namespace)
    if found is None:
        with effect(environment, release, planned_step(Phase.SETTINGS, setting.base_name), {"exists": False}) as done:
            cluster.apply(setting.manifest(namespace, labels_of(environment, setting)))
            found = cluster.read(setting.kind, setting.name, namespace) or {}
            done.read_back = {"kind": setting.kind, "name": setting.name, "uid": found.get("metadata", {}).get("uid")}
    if not setting.is_held_by(found):
        raise NotApplied(
            f"{setting.kind} {setting.name} in {namespace} does not hold what its name stands for: somebody else wrote "
            "it. Delete it, then start the release again."
        )


def list_unused(
    environment: Environment, cluster: Cluster, wanted: tuple[ConnectionSetting, ...]
) -> list[tuple[str, str]]:
    """Kind and name of each setting of earlier releases that no revision and no pod names any more."""
    namespace, part = environment.application.namespace, f"app.kubernetes.io/part-of={environment.project}"
    labels = f"{part},app.kubernetes.io/managed-by={FIELD_MANAGER},app.kubernetes.io/name in ({','.join(BASE_NAMES)})"
    ours = [(kind, found["metadata"]["name"]) for kind in KINDS for found in cluster.list(kind, namespace, labels)]
    users = [found for kind in USERS for found in cluster.list(kind, namespace)]
    return find_unused(ours, wanted, [found["spec"] for found in users])


def delete_setting(environment: Environment, release: Release, cluster: Cluster, kind: str, name: str) -> None:
    """The object is gone; raises NotApplied where it stays, as one with a finalizer does."""
    namespace = environment.application.namespace
    with effect(environment, release, planned_step(Phase.SETTINGS, name), {"exists": True}) as done:
        cluster.delete(kind, name, namespace)
        if cluster.read(kind, name, namespace) is not None:
            raise NotApplied(
                f"{kind} {name} in {namespace}, which no revision names any more, was deleted and is still there. Look "
                "at its finalizers (kubectl get -o yaml), then start the release again."
            )
        done.read_back = {"kind": kind, "name": name, "exists": False}


def labels_of(environment: Environment, setting: ConnectionSetting) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": setting.base_name,
        "app.kubernetes.io/part-of": environment.project,
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
    }
