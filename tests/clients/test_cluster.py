"""The client of the Kubernetes API, at the sandbox's cluster. It uses the endpoint and the token of EKS."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.aws.eks import BearerToken, describe_endpoint
from clients.cluster import Cluster, connect_cluster
from delivery.environment import Environment
from delivery.errors import Conflict, NotFound, NotPermitted, Rejected, SettingsError, Unavailable
from sandbox.aws.client import client
from sandbox.environment import variables
from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from sandbox.testing import eventually
from tests.environments import production

EKS_NAME = "genai-demo-production"
# Much less than the client assumes.
TOKEN_SECONDS = 3.0


TEMPLATE = {
    "Resources": {
        "Cluster": {
            "Type": "AWS::EKS::Cluster",
            "Properties": {
                "Name": EKS_NAME,
                "RoleArn": "arn:aws:iam::123456789012:role/cluster",
                "ResourcesVpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"]},
            },
        }
    }
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with a stack that created the EKS cluster."""
    settings = SandboxSettings(time_factor=1000.0, eks_token_seconds=TOKEN_SECONDS)
    with Sandbox(tmp_path_factory.mktemp("cluster"), parts=("aws", "kubernetes"), settings=settings) as sandbox:
        make_stack(client("cloudformation", sandbox.addresses, settings))
        yield sandbox


def make_stack(formation: Any) -> None:
    change_set = {"StackName": "eks", "ChangeSetName": "eks"}
    formation.create_change_set(**change_set, ChangeSetType="CREATE", TemplateBody=json.dumps(TEMPLATE))
    formation.get_waiter("change_set_create_complete").wait(**change_set, WaiterConfig={"Delay": 1})
    formation.execute_change_set(**change_set)
    formation.get_waiter("stack_create_complete").wait(StackName="eks", WaiterConfig={"Delay": 1})


@pytest.fixture
def environment(running: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in variables(running.state, running.addresses, running.settings).items():
        monkeypatch.setenv(name, value)
    return production(tmp_path)


@pytest.fixture
def cluster(environment: Environment) -> Cluster:
    return connect_cluster(environment, EKS_NAME)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"c{uuid.uuid4().hex[:8]}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete("Namespace", name)


def config(namespace: str, **data: str) -> dict[str, Any]:
    metadata = {"name": "config", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def rollout(namespace: str) -> dict[str, Any]:
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i@sha256:1"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template, "paused": True}
    metadata = {"name": "r", "namespace": namespace}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}


def test_an_object_is_applied_and_read_back(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config(namespace, key="1"))
    found = cluster.read("ConfigMap", "config", namespace)
    assert found is not None
    assert found["data"] == {"key": "1"}
    assert found["metadata"]["managedFields"][0]["manager"] == "slipway"


def test_applying_without_a_field_removes_it(cluster: Cluster, namespace: str) -> None:
    cluster.apply(config(namespace, key="1", other="2"))
    assert cluster.apply(config(namespace, key="1"))["data"] == {"key": "1"}


def test_a_dry_run_returns_the_object_and_stores_nothing(cluster: Cluster, namespace: str) -> None:
    assert cluster.apply(config(namespace, key="1"), dry_run=True)["data"] == {"key": "1"}
    assert cluster.read("ConfigMap", "config", namespace) is None


def test_a_missing_object_is_none(cluster: Cluster, namespace: str) -> None:
    assert cluster.read("Secret", "missing", namespace) is None
    cluster.delete("Secret", "missing", namespace)


def test_a_list_contains_the_objects_that_the_labels_select(cluster: Cluster, namespace: str) -> None:
    labelled = config(namespace, key="1")
    labelled["metadata"]["labels"] = {"app": "a"}
    cluster.apply(labelled)
    assert [found["metadata"]["name"] for found in cluster.list("ConfigMap", namespace, "app=a")] == ["config"]
    assert cluster.list("ConfigMap", namespace, "app=b") == []


def test_a_merge_patch_of_the_status_changes_only_the_status(cluster: Cluster, namespace: str) -> None:
    version = cluster.apply(rollout(namespace))["metadata"]["resourceVersion"]
    body = {"status": {"abort": True}, "spec": {"replicas": 7}}
    patched = cluster.patch_merge("Rollout", "r", namespace, body, resource_version=version, subresource="status")
    assert (patched["status"]["abort"], patched["spec"]["replicas"]) == (True, 0)


def test_a_merge_patch_removes_a_field_with_null(cluster: Cluster, namespace: str) -> None:
    version = cluster.apply(rollout(namespace))["metadata"]["resourceVersion"]
    patched = cluster.patch_merge("Rollout", "r", namespace, {"spec": {"paused": None}}, resource_version=version)
    assert "paused" not in patched["spec"]


def test_a_patch_of_an_object_that_changed_in_between_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    version = cluster.apply(config(namespace, key="1"))["metadata"]["resourceVersion"]
    cluster.apply(config(namespace, key="2"))
    with pytest.raises(Conflict):
        cluster.patch_merge("ConfigMap", "config", namespace, {"data": {"key": "3"}}, resource_version=version)


def test_applying_at_an_old_resource_version_is_a_conflict(cluster: Cluster, namespace: str) -> None:
    old = config(namespace, key="3")
    old["metadata"]["resourceVersion"] = cluster.apply(config(namespace, key="1"))["metadata"]["resourceVersion"]
    cluster.apply(config(namespace, key="2"))
    with pytest.raises(Conflict):
        cluster.apply(old)


def test_an_object_without_its_namespace_is_not_found(cluster: Cluster) -> None:
    with pytest.raises(NotFound, match="apply ConfigMap config"):
        cluster.apply(config("nowhere", key="1"))


def test_an_invalid_object_is_rejected_with_the_reason_of_the_cluster(cluster: Cluster, namespace: str) -> None:
    template = rollout(namespace)["spec"]["template"]
    spec = {"selector": {"matchLabels": {"app": "b"}}, "template": template}
    broken = rollout(namespace) | {"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": spec}
    with pytest.raises(Rejected, match="does not match"):
        cluster.apply(broken)


def test_an_unknown_field_is_rejected_although_the_cluster_answers_500(cluster: Cluster, namespace: str) -> None:
    misspelt = rollout(namespace)
    misspelt["spec"]["replcas"] = 3
    with pytest.raises(Rejected, match=r"\.spec\.replcas: field not declared in schema"):
        cluster.apply(misspelt)


def test_the_error_of_a_rejected_secret_does_not_contain_the_message_of_the_cluster(
    cluster: Cluster, namespace: str
) -> None:
    secret = config(namespace, key="aHVudGVyMg==") | {"kind": "Secret", "immutable": True}
    cluster.apply(secret)
    with pytest.raises(Rejected) as refused:
        cluster.apply(secret | {"data": {"key": "c2VjcmV0"}})
    assert str(refused.value) == "Could not apply Secret config: HTTP 422"


def test_a_kind_that_the_cluster_does_not_serve_names_its_add_on(cluster: Cluster, namespace: str) -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {"name": "u", "namespace": namespace}}
    with pytest.raises(NotFound, match="add-on that defines it is missing"):
        cluster.apply(unknown)


def test_the_cluster_refuses_another_token(environment: Environment, running: Sandbox) -> None:
    assert BearerToken(EKS_NAME, "us-east-1").current().startswith("k8s-aws-v1.")
    kubeconfig = (running.state / "kubeconfig").read_text().replace("token: ", "token: not")
    path = Path(environment.state.url.removeprefix("file://"), "kubeconfig")
    path.write_text(kubeconfig)
    with pytest.raises(NotPermitted):
        connect_cluster(named(environment, str(path)), "")


def test_an_expired_token_is_signed_again(environment: Environment, namespace: str) -> None:
    cluster, token = connect_cluster(environment, EKS_NAME), BearerToken(EKS_NAME, "us-east-1")
    signed = token.current()
    eventually(lambda: not is_accepted(environment, signed))
    assert token.current() == signed
    cluster.apply(config(namespace, key="1"))
    found = cluster.list("ConfigMap", namespace, labels="missing=yes")
    assert found == []


def is_accepted(environment: Environment, token: str) -> bool:
    url = describe_endpoint(EKS_NAME, environment.aws.region).url
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/api/v1", headers=headers, verify=False, trust_env=False).is_success  # noqa: S501


def test_a_kubeconfig_of_the_environment_is_used_instead_of_the_eks_cluster(
    environment: Environment, running: Sandbox
) -> None:
    cluster = connect_cluster(named(environment, str(running.state / "kubeconfig")), "there is no such cluster")
    assert cluster.read("Namespace", "default") is not None


def test_a_missing_kubeconfig_is_a_settings_error(environment: Environment) -> None:
    with pytest.raises(SettingsError, match=r"\[application\] kubeconfig: /nowhere cannot be used"):
        connect_cluster(named(environment, "/nowhere"), "")


def test_a_cluster_that_does_not_answer_is_unavailable(environment: Environment, running: Sandbox) -> None:
    path = Path(environment.state.url.removeprefix("file://"), "kubeconfig")
    path.write_text(
        (running.state / "kubeconfig").read_text().replace(running.addresses.kubernetes, "https://127.0.0.1:1")
    )
    with pytest.raises(Unavailable):
        connect_cluster(named(environment, str(path)), "")


def named(environment: Environment, kubeconfig: str) -> Environment:
    application = environment.application.model_copy(update={"kubeconfig": kubeconfig})
    return environment.model_copy(update={"application": application})
