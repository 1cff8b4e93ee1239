"""Connection settings: rendered from stack outputs and secrets, and applied to the cluster."""

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
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import NotApplied
from delivery.journal.step_names import planned_step
from delivery.plan import PartPlan, Phase
from delivery.rollout.manifests import FIELD_MANAGER, Manifest, parse_manifests
from delivery.stacks.outputs import StackOutputs
from tasks.rollout.clusters import open_cluster, outputs_of_cluster
from tasks.runs.waiting import RETRIED
from tasks.state.journal import effect

KINDS = ("Secret", "ConfigMap")
# The kinds whose pod templates use settings. A ReplicaSet without pods can be the revision of a later rollback.
KINDS_WITH_TEMPLATE = ("Rollout", "ReplicaSet", "Pod")


@task(cache_policy=NO_CACHE, task_run_name="plan the connection settings of {environment.name}")
def make_settings_plan(environment: Environment) -> PartPlan:
    """The connection settings that a release would create."""
    return plan_settings(observe_settings(environment))


@task(**RETRIED, task_run_name="read the connection settings")
def observe_settings(environment: Environment) -> ObservedSettings:
    """As read_settings, in a task run of its own."""
    return read_settings(environment)


def read_settings(environment: Environment) -> ObservedSettings:
    """The settings for the present stacks, without their values, and whether the cluster has them."""
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


@task(**RETRIED, task_run_name="apply the connection settings")
def apply_settings(context: ReleaseContext) -> dict[str, str]:
    """Create each setting that is missing, and delete those that no revision uses any more.

    Returns base name -> name in the cluster. Raises NotApplied if an object of that name has another content.
    """
    environment = context.environment
    outputs = read_outputs(environment)
    settings = render_settings(read_values(environment, outputs, read_files(environment)))
    return ensure_settings(context, open_cluster(environment, outputs), settings)


def ensure_settings(
    context: ReleaseContext, cluster: Cluster, settings: tuple[ConnectionSetting, ...]
) -> dict[str, str]:
    """As apply_settings, with the settings rendered."""
    ensure_namespace(context, cluster)
    for setting in settings:
        ensure_setting(context, cluster, setting)
    for kind, name in list_unused(context.environment, cluster, settings):
        delete_setting(context, cluster, kind, name)
    return {setting.base_name: setting.name for setting in settings}


def read_files(environment: Environment) -> dict[str, str]:
    """The files of the application. The plan reads them too, so that it reports a missing file."""
    return {
        "application_yml": read_application_yml(environment.application.manifests),
        "database_ca": read_database_ca(environment.application.database_ca),
    }


def read_values(environment: Environment, outputs: StackOutputs, files: Mapping[str, str]) -> ConnectionValues:
    """Raises NotFound if a stack is not deployed."""
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


def ensure_namespace(context: ReleaseContext, cluster: Cluster) -> None:
    """Create the namespace if it does not exist."""
    name = context.environment.application.namespace
    if cluster.read("Namespace", name) is not None:
        return
    with effect(context, planned_step(Phase.SETTINGS, name), {"exists": False}) as done:
        applied = cluster.apply(namespace_manifest(context.environment))
        done.read_back = {"kind": "Namespace", "name": name, "uid": applied["metadata"]["uid"]}


def namespace_manifest(environment: Environment) -> Manifest:
    """The Namespace of the application's manifests, so that applying the manifests later does not change it."""
    name = environment.application.namespace
    parsed = parse_manifests(read_manifests(environment.application.manifests))
    manifests = (manifest for manifests in parsed.values() for manifest in manifests)
    namespaces = (
        manifest for manifest in manifests if (manifest["kind"], manifest["metadata"]["name"]) == ("Namespace", name)
    )
    default: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return next(namespaces, default)


def ensure_setting(context: ReleaseContext, cluster: Cluster, setting: ConnectionSetting) -> None:
    """Create the object if it does not exist. Raises NotApplied if it exists with another content."""
    namespace = context.environment.application.namespace
    found = cluster.read(setting.kind, setting.name, namespace)
    if found is None:
        with effect(context, planned_step(Phase.SETTINGS, setting.base_name), {"exists": False}) as done:
            cluster.apply(setting.manifest(namespace, labels_of(context.environment, setting)))
            found = cluster.read(setting.kind, setting.name, namespace) or {}
            done.read_back = {"kind": setting.kind, "name": setting.name, "uid": found.get("metadata", {}).get("uid")}
    if not setting.is_content_of(found):
        raise NotApplied(
            f"{setting.kind} {setting.name} in namespace {namespace} has data that does not match the hash in its "
            "name, because another writer created it. Delete it, then start the release again."
        )


def list_unused(
    environment: Environment, cluster: Cluster, wanted: tuple[ConnectionSetting, ...]
) -> list[tuple[str, str]]:
    """Kind and name of each setting of an earlier release that no revision and no pod uses any more."""
    namespace, part = environment.application.namespace, f"app.kubernetes.io/part-of={environment.project}"
    labels = f"{part},app.kubernetes.io/managed-by={FIELD_MANAGER},app.kubernetes.io/name in ({','.join(BASE_NAMES)})"
    existing = [(kind, item["metadata"]["name"]) for kind in KINDS for item in cluster.list(kind, namespace, labels)]
    users = [item for kind in KINDS_WITH_TEMPLATE for item in cluster.list(kind, namespace)]
    return find_unused(existing, wanted, [item["spec"] for item in users])


def delete_setting(context: ReleaseContext, cluster: Cluster, kind: str, name: str) -> None:
    """Delete the object. Raises NotApplied if it still exists afterwards, for example because of a finalizer."""
    namespace = context.environment.application.namespace
    with effect(context, planned_step(Phase.SETTINGS, name), {"exists": True}) as done:
        cluster.delete(kind, name, namespace)
        if cluster.read(kind, name, namespace) is not None:
            raise NotApplied(
                f"{kind} {name} in namespace {namespace}, which no revision uses any more, was deleted and still "
                f"exists. Check its finalizers: kubectl get {kind.lower()} {name} -n {namespace} -o yaml. Then start "
                "the release again."
            )
        done.read_back = {"kind": kind, "name": name, "exists": False}


def labels_of(environment: Environment, setting: ConnectionSetting) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": setting.base_name,
        "app.kubernetes.io/part-of": environment.project,
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
    }
