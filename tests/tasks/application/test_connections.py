"""Connection settings made of what AWS tells, and put into a real Kubernetes API."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from clients.cluster import Cluster, connect_cluster
from delivery.application.connections import plan_settings
from delivery.environment import Environment
from delivery.errors import NotApplied, SettingsError
from delivery.plan import StepAction
from delivery.release import Release
from sandbox.instance import Sandbox
from tasks.application.connections import apply_settings, observe_settings
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "e" * 64
PASSWORD = "Tr0ub4dor-and-3"


@dataclass(frozen=True)
class Prepared:
    """secret_arn: of the database's credentials."""

    environment: Environment
    secret_arn: str


@pytest.fixture(scope="module")
def broker_arn(sandbox: Sandbox) -> str:
    """A cluster that tells its brokers' addresses, whatever its state."""
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
    project.deploy_by_hand(aws)
    application = project.environment.application.model_copy(
        update={"namespace": project.name, "kubeconfig": str(sandbox.state / "kubeconfig")}
    )
    return Prepared(project.environment.model_copy(update={"application": application}), secret)


@pytest.fixture
def release(prepared: Prepared) -> Iterator[Release]:
    with lock_environment(prepared.environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


@pytest.fixture
def cluster(prepared: Prepared) -> Cluster:
    return connect_cluster(prepared.environment, "the-cluster")


def journal(prepared: Prepared, release: Release) -> str:
    return "\n".join(record.model_dump_json() for record in read_journal(prepared.environment, release.number))


def test_settings_are_put_under_their_hashed_names_and_then_left_alone(
    prepared: Prepared, release: Release, cluster: Cluster
) -> None:
    names = apply_settings.fn(prepared.environment, release)
    assert list(names) == ["msk-config", "rds-config", "redis-config", "genai-demo-config"]
    found = cluster.read("ConfigMap", names["redis-config"], prepared.environment.application.namespace)
    assert found is not None
    assert found["data"] == {"host": "cache.internal", "port": "6379", "tls": "true"}
    assert found["immutable"] is True
    told = journal(prepared, release)
    assert apply_settings.fn(prepared.environment, release) == names
    assert journal(prepared, release) == told


def test_another_password_makes_another_secret_alone(prepared: Prepared, release: Release, aws: SandboxAws) -> None:
    before = apply_settings.fn(prepared.environment, release)
    aws.client("secretsmanager").put_secret_value(
        SecretId=prepared.secret_arn, SecretString='{"username": "genai", "password": "another"}'
    )
    after = apply_settings.fn(prepared.environment, release)
    assert {name for name in after if before[name] != after[name]} == {"rds-config"}


def test_the_journal_and_the_observation_hold_no_secret(prepared: Prepared, release: Release) -> None:
    apply_settings.fn(prepared.environment, release)
    assert PASSWORD not in journal(prepared, release)
    assert PASSWORD not in repr(observe_settings.fn(prepared.environment))


def test_what_is_there_is_observed_as_there(prepared: Prepared, release: Release) -> None:
    assert not any(setting.is_there for setting in observe_settings.fn(prepared.environment).wanted)
    apply_settings.fn(prepared.environment, release)
    assert all(setting.is_there for setting in observe_settings.fn(prepared.environment).wanted)


def test_an_object_of_the_name_with_other_content_is_not_taken_for_the_setting(
    prepared: Prepared, release: Release, cluster: Cluster
) -> None:
    namespace = prepared.environment.application.namespace
    names = apply_settings.fn(prepared.environment, release)
    cluster.delete("ConfigMap", names["redis-config"], namespace)
    metadata = {"name": names["redis-config"], "namespace": namespace}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"host": "elsewhere"}})
    with pytest.raises(NotApplied, match="does not hold what its name stands for"):
        apply_settings.fn(prepared.environment, release)


def test_settings_wait_for_the_stacks_that_are_missing(project: Project, aws: SandboxAws) -> None:
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    assert observe_settings.fn(project.environment).missing == ("MSKStack", "SecurityStack", "RDSStack", "EKSStack")


def test_authorities_that_are_not_there_are_found_out_before_there_are_stacks(
    project: Project, aws: SandboxAws
) -> None:
    application = project.environment.application.model_copy(update={"database_ca": "environments/forgotten.pem"})
    environment = project.environment.model_copy(update={"application": application})
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    with pytest.raises(
        SettingsError, match=r"database_ca: .*/environments/forgotten.pem cannot be read \(No such file"
    ):
        observe_settings.fn(environment)


def test_a_cluster_that_a_kubeconfig_names_needs_no_stack(project: Project, aws: SandboxAws) -> None:
    application = project.environment.application.model_copy(update={"kubeconfig": "/nowhere"})
    environment = project.environment.model_copy(update={"application": application})
    project.write({"MSKStack": {"One": project.parameter("one", "1")}})
    assert observe_settings.fn(environment).missing == ("MSKStack", "SecurityStack", "RDSStack")


def revision(prepared: Prepared, name: str, secret: str) -> dict:
    """A revision without pods that takes its password from the Secret."""
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


def test_a_rotated_password_is_a_new_secret_in_the_plan(prepared: Prepared, release: Release, aws: SandboxAws) -> None:
    names = apply_settings.fn(prepared.environment, release)
    rotate(prepared, aws, "another")
    changing = [
        step
        for step in plan_settings(observe_settings.fn(prepared.environment)).steps
        if step.action is not StepAction.NOTHING
    ]
    (step,) = changing
    assert (step.name, step.action) == ("rds-config", StepAction.CREATE)
    assert step.changes[0].startswith("Secret rds-config-")
    assert names["rds-config"] not in step.changes[0]
    assert "another" not in step.model_dump_json()


def test_an_old_secret_is_kept_for_as_long_as_a_revision_names_it(
    prepared: Prepared, release: Release, cluster: Cluster, aws: SandboxAws
) -> None:
    namespace = prepared.environment.application.namespace
    first = apply_settings.fn(prepared.environment, release)["rds-config"]
    cluster.apply(revision(prepared, "first", first))
    rotate(prepared, aws, "another")
    second = apply_settings.fn(prepared.environment, release)["rds-config"]
    assert cluster.read("Secret", first, namespace) is not None
    cluster.delete("ReplicaSet", "first", namespace)
    cluster.apply(revision(prepared, "second", second))
    (finding,) = plan_settings(observe_settings.fn(prepared.environment)).findings
    assert finding == f"No revision names Secret {first} any more: deleted with the next settings."
    apply_settings.fn(prepared.environment, release)
    assert cluster.read("Secret", first, namespace) is None
    assert cluster.read("Secret", second, namespace) is not None
    assert plan_settings(observe_settings.fn(prepared.environment)).findings == ()


def test_an_old_secret_that_stays_after_its_deletion_fails_the_step(
    prepared: Prepared, release: Release, cluster: Cluster, aws: SandboxAws
) -> None:
    namespace = prepared.environment.application.namespace
    first = cluster.read("Secret", apply_settings.fn(prepared.environment, release)["rds-config"], namespace)
    assert first is not None
    name, version = first["metadata"]["name"], first["metadata"]["resourceVersion"]
    kept = {"metadata": {"finalizers": ["example.com/kept"]}}
    cluster.patch_merge("Secret", name, namespace, kept, resource_version=version)
    rotate(prepared, aws, "another")
    with pytest.raises(NotApplied, match=f"Secret {name} .* was deleted and is still there"):
        apply_settings.fn(prepared.environment, release)


def test_what_others_have_put_there_is_nobodys_to_prune(prepared: Prepared, release: Release, cluster: Cluster) -> None:
    apply_settings.fn(prepared.environment, release)
    metadata = {"name": "rds-config-of-others", "namespace": prepared.environment.application.namespace}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    apply_settings.fn(prepared.environment, release)
    assert cluster.read("Secret", metadata["name"], metadata["namespace"]) is not None
