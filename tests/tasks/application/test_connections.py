"""Connection settings from the answers of AWS, in the Kubernetes API of the sandbox."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from clients.cluster import Cluster, connect_cluster
from delivery.application.connections import plan_settings
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import NotApplied, SettingsError
from delivery.plan import StepAction
from sandbox.instance import Sandbox
from tasks.application.connections import apply_settings, read_settings
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "e" * 64
PASSWORD = "Tr0ub4dor-and-3"


@dataclass(frozen=True)
class Prepared:
    """secret_arn: of the credentials of the database."""

    environment: Environment
    secret_arn: str


@pytest.fixture(scope="module")
def broker_arn(sandbox: Sandbox) -> str:
    """A cluster that returns the addresses of its brokers in each state."""
    sandbox.require("aws")
    return (
        SandboxAws(sandbox.addresses.aws)
        .client("kafka")
        .create_cluster(
            ClusterName="settings",
            KafkaVersion="3.6.0",
            NumberOfBrokerNodes=3,
            BrokerNodeGroupInfo={"InstanceType": "kafka.m5.large", "ClientSubnets": ["subnet-1"]},
            ClientAuthentication={"Sasl": {"Iam": {"Enabled": True}}},
        )["ClusterArn"]
    )


@pytest.fixture
def prepared(sandbox: Sandbox, aws: SandboxAws, project: Project, broker_arn: str) -> Prepared:
    sandbox.require("kubernetes")
    secret = aws.client("secretsmanager").create_secret(
        Name=f"{project.name}/database", SecretString=f'{{"username": "genai", "password": "{PASSWORD}"}}'
    )["ARN"]
    outputs = {
        "MSKStack": {"MSKClusterArn": broker_arn},
        "SecurityStack": {"DatabaseSecretArn": secret},
        "EKSStack": {"EKSClusterName": "the-cluster"},
        "RDSStack": {
            "DatabaseEndpoint": "db.internal",
            "DatabasePort": "5432",
            "DatabaseName": "genai_demo",
            "CacheEndpoint": "cache.internal",
            "CachePort": "6379",
        },
    }
    project.write({name: {"One": project.parameter(name, "1")} for name in outputs}, outputs=outputs)
    project.deploy_manually(aws)
    application = project.environment.application.model_copy(
        update={"namespace": project.name, "kubeconfig": str(sandbox.state / "kubeconfig")}
    )
    return Prepared(project.environment.model_copy(update={"application": application}), secret)


@pytest.fixture
def context(prepared: Prepared) -> Iterator[ReleaseContext]:
    with lock_environment(prepared.environment, DIGEST, "hash", "test", wait=False) as context:
        yield context


@pytest.fixture
def cluster(prepared: Prepared) -> Cluster:
    return connect_cluster(prepared.environment, "the-cluster")


def journal(prepared: Prepared, context: ReleaseContext) -> str:
    return "\n".join(record.model_dump_json() for record in read_journal(prepared.environment, context.release.number))


def test_settings_are_created_once_with_a_hash_in_their_names(
    prepared: Prepared, context: ReleaseContext, cluster: Cluster
) -> None:
    names = apply_settings.fn(context)
    assert list(names) == ["msk-config", "rds-config", "redis-config", "genai-demo-config"]
    config_map = cluster.read("ConfigMap", names["redis-config"], prepared.environment.application.namespace)
    assert config_map is not None
    assert config_map["data"] == {"host": "cache.internal", "port": "6379", "tls": "true"}
    assert config_map["immutable"] is True
    recorded = journal(prepared, context)
    assert apply_settings.fn(context) == names
    assert journal(prepared, context) == recorded


def test_another_password_makes_only_another_secret(
    prepared: Prepared, context: ReleaseContext, aws: SandboxAws
) -> None:
    before = apply_settings.fn(context)
    aws.client("secretsmanager").put_secret_value(
        SecretId=prepared.secret_arn, SecretString='{"username": "genai", "password": "another"}'
    )
    after = apply_settings.fn(context)
    assert {name for name in after if before[name] != after[name]} == {"rds-config"}


def test_neither_the_journal_nor_the_observed_settings_contain_a_secret(
    prepared: Prepared, context: ReleaseContext
) -> None:
    apply_settings.fn(context)
    assert PASSWORD not in journal(prepared, context)
    assert PASSWORD not in repr(read_settings(prepared.environment))


def test_settings_that_exist_are_observed_as_present(prepared: Prepared, context: ReleaseContext) -> None:
    assert not any(setting.is_present for setting in read_settings(prepared.environment).wanted)
    apply_settings.fn(context)
    assert all(setting.is_present for setting in read_settings(prepared.environment).wanted)


def test_an_object_with_the_name_of_a_setting_and_another_content_is_an_error(
    prepared: Prepared, context: ReleaseContext, cluster: Cluster
) -> None:
    namespace = prepared.environment.application.namespace
    names = apply_settings.fn(context)
    cluster.delete("ConfigMap", names["redis-config"], namespace)
    metadata = {"name": names["redis-config"], "namespace": namespace}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"host": "elsewhere"}})
    with pytest.raises(NotApplied, match="has data that does not match the hash in its name"):
        apply_settings.fn(context)


def test_the_stacks_that_settings_need_are_named_if_they_are_missing(project: Project, aws: SandboxAws) -> None:
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    assert read_settings(project.environment).missing == ("MSKStack", "SecurityStack", "RDSStack", "EKSStack")


def test_a_missing_file_of_authorities_is_reported_before_stacks_exist(project: Project, aws: SandboxAws) -> None:
    application = project.environment.application.model_copy(update={"database_ca": "environments/forgotten.pem"})
    environment = project.environment.model_copy(update={"application": application})
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    with pytest.raises(
        SettingsError, match=r"database_ca: .*/environments/forgotten.pem cannot be read \(No such file"
    ):
        read_settings(environment)


def test_a_cluster_of_a_kubeconfig_needs_no_stack(project: Project, aws: SandboxAws) -> None:
    application = project.environment.application.model_copy(update={"kubeconfig": "/nowhere"})
    environment = project.environment.model_copy(update={"application": application})
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    assert read_settings(environment).missing == ("MSKStack", "SecurityStack", "RDSStack")


def revision(prepared: Prepared, name: str, secret: str) -> dict:
    """A revision without pods, whose template uses the password of the Secret."""
    labels = {"app": name}
    source = {"valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}}
    container = {"name": "backend", "image": "i@sha256:1", "env": [{"name": "DB_PASSWORD", **source}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    metadata = {"name": name, "namespace": prepared.environment.application.namespace}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def rotate(prepared: Prepared, aws: SandboxAws, password: str) -> None:
    text = f'{{"username": "genai", "password": "{password}"}}'
    aws.client("secretsmanager").put_secret_value(SecretId=prepared.secret_arn, SecretString=text)


def test_the_plan_shows_a_new_secret_for_a_rotated_password(
    prepared: Prepared, context: ReleaseContext, aws: SandboxAws
) -> None:
    names = apply_settings.fn(context)
    rotate(prepared, aws, "another")
    changing = [
        step
        for step in plan_settings(read_settings(prepared.environment)).steps
        if step.action is not StepAction.NOTHING
    ]
    (step,) = changing
    assert (step.name, step.action) == ("rds-config", StepAction.CREATE)
    assert step.changes[0].startswith("Secret rds-config-")
    assert names["rds-config"] not in step.changes[0]
    assert "another" not in step.model_dump_json()


def test_an_old_secret_is_deleted_when_no_revision_uses_it_any_more(
    prepared: Prepared, context: ReleaseContext, cluster: Cluster, aws: SandboxAws
) -> None:
    namespace = prepared.environment.application.namespace
    first = apply_settings.fn(context)["rds-config"]
    cluster.apply(revision(prepared, "first", first))
    rotate(prepared, aws, "another")
    second = apply_settings.fn(context)["rds-config"]
    assert cluster.read("Secret", first, namespace) is not None
    cluster.delete("ReplicaSet", "first", namespace)
    cluster.apply(revision(prepared, "second", second))
    (finding,) = plan_settings(read_settings(prepared.environment)).findings
    assert finding == (f"No revision uses Secret {first}. A release deletes it, unless it has nothing else to do.")
    apply_settings.fn(context)
    assert cluster.read("Secret", first, namespace) is None
    assert cluster.read("Secret", second, namespace) is not None
    assert plan_settings(read_settings(prepared.environment)).findings == ()


def test_an_old_secret_that_still_exists_after_its_deletion_is_an_error(
    prepared: Prepared, context: ReleaseContext, cluster: Cluster, aws: SandboxAws
) -> None:
    namespace = prepared.environment.application.namespace
    first = cluster.read("Secret", apply_settings.fn(context)["rds-config"], namespace)
    assert first is not None
    name, version = first["metadata"]["name"], first["metadata"]["resourceVersion"]
    kept = {"metadata": {"finalizers": ["example.com/kept"]}}
    cluster.patch_merge("Secret", name, namespace, kept, resource_version=version)
    rotate(prepared, aws, "another")
    with pytest.raises(NotApplied, match=f"Secret {name} .* was deleted and still exists"):
        apply_settings.fn(context)


def test_a_secret_of_another_owner_is_not_deleted(
    prepared: Prepared, context: ReleaseContext, cluster: Cluster
) -> None:
    apply_settings.fn(context)
    metadata = {"name": "rds-config-of-others", "namespace": prepared.environment.application.namespace}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    apply_settings.fn(context)
    assert cluster.read("Secret", metadata["name"], metadata["namespace"]) is not None
