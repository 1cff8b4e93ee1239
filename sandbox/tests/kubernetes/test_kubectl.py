"""The kubectl commands of an operator. Contract tests: they also run against a real control plane."""

from typing import Any

import yaml

from sandbox.tests.kubernetes.contract import each_endpoint
from sandbox.tests.kubernetes.manifests import ingress, replica_set, service, template

pytestmark = each_endpoint


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def rollout(image: str, replicas: int = 0) -> dict[str, Any]:
    labels = {"app": "backend"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "backend", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, "strategy": {"canary": {}}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "backend"}, "spec": spec}


def one_of_each() -> list[dict[str, Any]]:
    """One object of each kind that a release uses. Only the Pod object is a pod; no other object creates one."""
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "backend"}}}
    workload = replica_set("none", replicas=0)
    return [
        *(config_map(a="1"), service("backend"), ingress(), rollout("one"), workload),
        {**workload, "kind": "Deployment"},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "stringData": {"a": "b"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "one"}},
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "one"}, "spec": budget},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": template("none")["spec"]},
    ]


def test_apply_creates_and_changes_an_object_and_reports_no_change(kubectl, namespace) -> None:
    apply = ("apply", "-n", namespace, "-f", "-")
    assert "created" in kubectl(*apply, manifest=config_map(a="1"))
    assert kubectl(*apply, manifest=config_map(a="1")) == "configmap/settings unchanged\n"
    assert "configured" in kubectl(*apply, manifest=config_map(a="2"))


def test_apply_and_server_side_apply_accept_a_custom_kind(kubectl, namespace) -> None:
    assert "created" in kubectl("apply", "-n", namespace, "-f", "-", manifest=rollout("one"))
    assert "configured" in kubectl("apply", "-n", namespace, "-f", "-", manifest=rollout("two"))
    forced = ("apply", "--server-side", "--force-conflicts", "-n", namespace, "-f", "-")
    assert "serverside-applied" in kubectl(*forced, manifest=rollout("three"))


def test_describe_wait_and_delete_work(kubectl, namespace) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", manifest=config_map(a="1"))
    assert "Name:         settings" in kubectl("describe", "configmap", "settings", "-n", namespace)
    kubectl("wait", "--for=jsonpath={.data.a}=1", "configmap/settings", "-n", namespace, "--timeout=150s")
    assert "deleted" in kubectl("delete", "configmap", "settings", "-n", namespace)


def test_diff_shows_what_an_apply_would_change_and_changes_nothing(kubectl, namespace) -> None:
    kubectl("apply", "--server-side", "-n", namespace, "-f", "-", manifest=rollout("one"))
    for how in ([], ["--server-side"]):
        shown = kubectl("diff", *how, "-n", namespace, "-f", "-", manifest=rollout("two"), code=1)
        assert "-      - image: one" in shown
        assert "+      - image: two" in shown
    assert kubectl("diff", "--server-side", "-n", namespace, "-f", "-", manifest=rollout("one")) == ""


def test_a_status_patch_goes_to_the_subresource(kubectl, namespace) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", manifest=rollout("one"))
    patch = ("patch", "rollout", "backend", "-n", namespace, "--subresource=status", "--type=merge")
    assert "patched" in kubectl(*patch, "-p", '{"status":{"promoteFull":true}}')


def test_scale_sets_the_replicas_and_owns_them_without_a_time(kubectl, namespace) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", manifest=rollout("one", replicas=1))
    assert "scaled" in kubectl("scale", "rollout", "backend", "-n", namespace, "--replicas=2")
    found = yaml.safe_load(kubectl("get", "rollout", "backend", "-n", namespace, "-o", "yaml", "--show-managed-fields"))
    assert found["spec"]["replicas"] == 2
    (entry,) = (item for item in found["metadata"]["managedFields"] if item.get("subresource") == "scale")
    assert entry["fieldsV1"]["f:spec"] == {"f:replicas": {}}
    assert "time" not in entry


def test_replicas_that_were_scaled_to_zero_have_no_owner(kubectl, namespace) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", manifest=rollout("one", replicas=1))
    kubectl("scale", "rollout", "backend", "-n", namespace, "--replicas=0")
    found = yaml.safe_load(kubectl("get", "rollout", "backend", "-n", namespace, "-o", "yaml", "--show-managed-fields"))
    owned = [entry["fieldsV1"].get("f:spec", {}) for entry in found["metadata"]["managedFields"]]
    assert not any("f:replicas" in fields for fields in owned)


COLUMNS = {
    "Service": "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE",
    "Ingress": "NAME CLASS HOSTS ADDRESS PORTS AGE",
    "PodDisruptionBudget": "NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE",
    "ConfigMap": "NAME DATA AGE",
    "Secret": "NAME TYPE DATA AGE",
    "ServiceAccount": "NAME SECRETS AGE",
    "ReplicaSet": "NAME DESIRED CURRENT READY AGE",
    "Deployment": "NAME READY UP-TO-DATE AVAILABLE AGE",
    "Rollout": "NAME DESIRED CURRENT UP-TO-DATE AVAILABLE AGE",
    "Pod": "NAME READY STATUS RESTARTS AGE",
}


def test_get_prints_the_columns_of_each_kind(kubectl, namespace) -> None:
    objects = one_of_each()
    kubectl("apply", "-n", namespace, "-f", "-", manifest={"apiVersion": "v1", "kind": "List", "items": objects})
    for kind, columns in COLUMNS.items():
        heading = kubectl("get", kind, "-n", namespace).splitlines()[0]
        assert " ".join(heading.split()) == columns, kind
