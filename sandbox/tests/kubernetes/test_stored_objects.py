"""How the API stores and lists objects. Contract tests: they also run against a real control plane."""

import json
from typing import Any

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.tests.kubernetes.contract import each_endpoint
from sandbox.tests.kubernetes.manifests import replica_set, rollout, template

pytestmark = each_endpoint
RESOURCES = {"limits": {"cpu": "1000m", "memory": "2048Mi"}, "requests": {"cpu": 0.5, "memory": "1Gi"}}


@pytest.fixture
def create(client: DynamicClient, namespace: str):
    def created(body: dict[str, Any]) -> dict[str, Any]:
        resource = client.resources.get(api_version=body["apiVersion"], kind=body["kind"])
        return resource.create(body, namespace=namespace).to_dict()

    return created


def test_a_template_is_stored_with_default_values_and_canonical_quantities(create) -> None:
    body = replica_set("registry/backend:1", replicas=0, resources=RESOURCES)
    spec = create(body)["spec"]["template"]["spec"]
    (container,) = spec.pop("containers")
    assert spec == {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    assert container["resources"] == {
        "limits": {"cpu": "1", "memory": "2Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }
    assert container["ports"] == [{"containerPort": 8080, "name": "http", "protocol": "TCP"}]
    assert container["imagePullPolicy"] == "IfNotPresent"


def test_a_pod_is_stored_with_the_fields_that_admission_adds(create) -> None:
    spec = {**template("none")["spec"], "automountServiceAccountToken": False}
    spec["containers"][0]["resources"] = {"limits": {"cpu": "2", "memory": "1Gi"}}
    pod = create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": spec})
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "2", "memory": "1Gi"}
    assert pod["spec"]["serviceAccountName"] == "default"
    assert {(item["key"], item["tolerationSeconds"]) for item in pod["spec"]["tolerations"]} == {
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    }
    assert pod["status"]["qosClass"] == "Guaranteed"
    assert "readinessGates" not in pod["spec"]


def test_a_rollouts_template_is_stored_unchanged_except_for_the_protocol_of_its_ports(create) -> None:
    body = rollout("none", replicas=0)
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = RESOURCES
    (container,) = create(body)["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == RESOURCES
    assert container["ports"] == [{"containerPort": 8080, "name": "http", "protocol": "TCP"}]
    assert "imagePullPolicy" not in container


def test_the_pages_of_a_list_show_one_resource_version(client: DynamicClient, namespace: str) -> None:
    config_maps = client.resources.get(api_version="v1", kind="ConfigMap")
    for name in ("a", "b", "c"):
        config_maps.create({"metadata": {"name": name, "labels": {"paged": "yes"}}}, namespace=namespace)
    first = config_maps.get(namespace=namespace, label_selector="paged=yes", limit=2)
    assert [item.metadata.name for item in first.items] == ["a", "b"]
    config_maps.create({"metadata": {"name": "d", "labels": {"paged": "yes"}}}, namespace=namespace)
    config_maps.delete(name="c", namespace=namespace)
    token = first.metadata["continue"]
    rest = config_maps.get(namespace=namespace, label_selector="paged=yes", limit=2, _continue=token)
    assert [item.metadata.name for item in rest.items] == ["c"]
    assert rest.metadata.resourceVersion == first.metadata.resourceVersion
    assert not rest.metadata.to_dict().get("continue")


def test_an_invalid_continue_token_is_refused(client: DynamicClient, namespace: str) -> None:
    config_maps = client.resources.get(api_version="v1", kind="ConfigMap")
    with pytest.raises(ApiException) as refused:
        config_maps.get(namespace=namespace, limit=2, _continue="abc")
    assert refused.value.status == 400
    assert "continue key is not valid" in (refused.value.body or "")


def test_items_in_a_list_of_a_built_in_kind_have_no_kind(client, namespace, create) -> None:
    create(rollout("none", replicas=0))
    create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}})

    def listed(version: str, kind: str) -> dict[str, Any]:
        resource = client.resources.get(api_version=version, kind=kind)
        # With serialize=True the client sets the kind of each item.
        return json.loads(client.get(resource, namespace=namespace, serialize=False).data)

    assert {item.get("kind") for item in listed("argoproj.io/v1alpha1", "Rollout")["items"]} == {"Rollout"}
    found = listed("v1", "ConfigMap")
    assert {item.get("kind") for item in found["items"]} == {None}
    assert found["kind"] == "ConfigMapList"
