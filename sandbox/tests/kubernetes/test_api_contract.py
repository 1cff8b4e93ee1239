"""The behaviour of the API that clients rely on. Contract tests: they also run against a real control plane."""

import json

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.tests.kubernetes.contract import each_endpoint

pytestmark = each_endpoint
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"


def config_map(name: str, **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture
def config_maps(client: DynamicClient):
    return client.resources.get(api_version="v1", kind="ConfigMap")


def replica_set(name: str, replicas: int = 0, image: str = "none") -> dict:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "backend", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def replica_sets(client: DynamicClient):
    return client.resources.get(api_version="apps/v1", kind="ReplicaSet")


def test_a_created_object_is_read_back_with_its_metadata(config_maps, namespace) -> None:
    config_maps.create(config_map("settings", host="cache"), namespace=namespace)
    found = config_maps.get(name="settings", namespace=namespace)
    assert found.data.host == "cache"
    assert found.metadata.uid
    assert found.metadata.resourceVersion
    assert found.metadata.creationTimestamp


def test_creating_an_existing_object_is_a_conflict(config_maps, namespace) -> None:
    config_maps.create(config_map("settings"), namespace=namespace)
    with pytest.raises(ApiException) as refused:
        config_maps.create(config_map("settings"), namespace=namespace)
    assert (refused.value.status, json.loads(refused.value.body or "")["reason"]) == (409, "AlreadyExists")


def test_reading_a_missing_object_returns_a_status(config_maps, namespace) -> None:
    with pytest.raises(ApiException) as refused:
        config_maps.get(name="absent", namespace=namespace)
    status = json.loads(refused.value.body or "")
    assert (status["kind"], status["reason"], status["code"]) == ("Status", "NotFound", 404)
    assert status["message"] == 'configmaps "absent" not found'


def test_an_object_cannot_be_created_in_a_missing_namespace(config_maps) -> None:
    with pytest.raises(ApiException) as refused:
        config_maps.create(config_map("settings"), namespace="no-such-namespace")
    assert refused.value.status == 404


def test_a_merge_patch_with_an_old_resource_version_is_a_conflict(config_maps, namespace) -> None:
    created = config_maps.create(config_map("settings", a="1"), namespace=namespace)
    version = created.metadata.resourceVersion
    patch = {"metadata": {"name": "settings", "resourceVersion": version}, "data": {"a": "2"}}
    changed = config_maps.patch(patch, namespace=namespace, content_type=MERGE)
    assert changed.metadata.resourceVersion != version
    with pytest.raises(ApiException) as refused:
        config_maps.patch(patch | {"data": {"a": "3"}}, namespace=namespace, content_type=MERGE)
    assert (refused.value.status, json.loads(refused.value.body or "")["reason"]) == (409, "Conflict")


def test_a_write_without_a_change_keeps_the_resource_version(config_maps, namespace) -> None:
    created = config_maps.create(config_map("settings", a="1"), namespace=namespace)
    patch = {"metadata": {"name": "settings"}, "data": {"a": "1"}}
    again = config_maps.patch(patch, namespace=namespace, content_type=MERGE)
    assert again.metadata.resourceVersion == created.metadata.resourceVersion


def test_a_json_patch_whose_test_fails_changes_nothing(config_maps, namespace) -> None:
    config_maps.create(config_map("settings", a="1"), namespace=namespace)
    operations = [{"op": "test", "path": "/data/a", "value": "9"}, {"op": "replace", "path": "/data/a", "value": "2"}]
    with pytest.raises(ApiException) as refused:
        config_maps.patch(operations, name="settings", namespace=namespace, content_type=JSON)
    assert refused.value.status == 422
    assert config_maps.get(name="settings", namespace=namespace).data.a == "1"


def test_an_immutable_config_map_keeps_its_data(config_maps, namespace) -> None:
    config_maps.create(config_map("settings", a="1") | {"immutable": True}, namespace=namespace)
    patch = {"metadata": {"name": "settings"}, "data": {"a": "2"}}
    with pytest.raises(ApiException) as refused:
        config_maps.patch(patch, namespace=namespace, content_type=MERGE)
    assert refused.value.status == 422


def test_string_data_of_a_secret_is_stored_as_base64(client, namespace) -> None:
    secrets = client.resources.get(api_version="v1", kind="Secret")
    secrets.create({"metadata": {"name": "rds"}, "stringData": {"host": "db"}}, namespace=namespace)
    found = secrets.get(name="rds", namespace=namespace)
    assert (found.data.host, found.type) == ("ZGI=", "Opaque")


def test_a_change_of_the_spec_increments_the_generation_and_labels_do_not(replica_sets, namespace) -> None:
    replica_sets.create(replica_set("backend"), namespace=namespace)
    labelled = {"metadata": {"name": "backend", "labels": {"a": "b"}}}
    assert replica_sets.patch(labelled, namespace=namespace, content_type=MERGE).metadata.generation == 1
    patched = {"metadata": {"name": "backend"}, "spec": {"minReadySeconds": 1}}
    assert replica_sets.patch(patched, namespace=namespace, content_type=MERGE).metadata.generation == 2


def test_a_patch_of_the_main_resource_does_not_change_the_status(replica_sets, namespace) -> None:
    replica_sets.create(replica_set("backend"), namespace=namespace)
    patch = {"metadata": {"name": "backend"}, "status": {"replicas": 7}}
    assert replica_sets.patch(patch, namespace=namespace, content_type=MERGE).status.replicas == 0


def test_a_strategic_merge_patch_changes_one_container_of_two(replica_sets, namespace) -> None:
    body = replica_set("backend")
    body["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "none"})
    replica_sets.create(body, namespace=namespace)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "backend", "image": "other"}]}}}}
    patched = replica_sets.patch(patch, name="backend", namespace=namespace)
    images = {container.name: container.image for container in patched.spec.template.spec.containers}
    assert images == {"backend": "other", "sidecar": "none"}


def test_label_selectors_select_by_equality_and_by_set(config_maps, namespace) -> None:
    for name, tier in (("a", "front"), ("b", "back"), ("c", "data")):
        body = config_map(name)
        body["metadata"]["labels"] = {"tier": tier}
        config_maps.create(body, namespace=namespace)

    def names(selector: str) -> list[str]:
        found = config_maps.get(namespace=namespace, label_selector=selector).items
        return [item.metadata.name for item in found]

    assert names("tier=front") == ["a"]
    assert names("tier in (front, data)") == ["a", "c"]
    assert names("tier,tier!=front") == ["b", "c"]


def test_a_field_selector_selects_by_name(config_maps, namespace) -> None:
    config_maps.create(config_map("a"), namespace=namespace)
    config_maps.create(config_map("b"), namespace=namespace)
    found = config_maps.get(namespace=namespace, field_selector="metadata.name=b").items
    assert [item.metadata.name for item in found] == ["b"]


def test_a_watch_sends_the_changes_after_a_resource_version(config_maps, namespace) -> None:
    version = config_maps.get(namespace=namespace).metadata.resourceVersion
    config_maps.create(config_map("a", x="1"), namespace=namespace)
    config_maps.patch({"metadata": {"name": "a"}, "data": {"x": "2"}}, namespace=namespace, content_type=MERGE)
    config_maps.delete(name="a", namespace=namespace)
    seen = config_maps.watch(namespace=namespace, name="a", resource_version=version, timeout=1)
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_from_an_expired_resource_version_is_answered_with_410(config_maps, namespace) -> None:
    with pytest.raises(ApiException) as refused:
        list(config_maps.watch(namespace=namespace, resource_version=1, timeout=5))
    assert refused.value.status == 410
    assert "too old resource version: 1" in str(refused.value.reason)


def test_a_watch_from_a_future_resource_version_waits_for_it(config_maps, namespace) -> None:
    version = int(config_maps.get(namespace=namespace).metadata.resourceVersion)
    assert list(config_maps.watch(namespace=namespace, resource_version=version + 10_000_000, timeout=1)) == []


def test_a_watch_with_a_selector_reports_a_removed_label_as_a_deletion(config_maps, namespace) -> None:
    body = config_map("a")
    body["metadata"]["labels"] = {"tier": "front"}
    version = config_maps.create(body, namespace=namespace).metadata.resourceVersion
    patch = {"metadata": {"name": "a", "labels": {"tier": None}}}
    config_maps.patch(patch, namespace=namespace, content_type=MERGE)
    seen = config_maps.watch(namespace=namespace, label_selector="tier=front", resource_version=version, timeout=1)
    assert [event["type"] for event in seen] == ["DELETED"]


def test_the_deletion_of_an_owner_deletes_its_dependents(config_maps, namespace, wait_for_deletion) -> None:
    owner = config_maps.create(config_map("owner"), namespace=namespace)
    owned = config_map("owned")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.metadata.uid}
    owned["metadata"]["ownerReferences"] = [reference]
    config_maps.create(owned, namespace=namespace)
    config_maps.delete(name="owner", namespace=namespace)
    wait_for_deletion(config_maps, "owned", namespace)


def test_the_deletion_of_a_namespace_deletes_its_objects(client, config_maps, wait_for_deletion) -> None:
    namespaces = client.resources.get(api_version="v1", kind="Namespace")
    namespaces.create({"metadata": {"name": "to-be-deleted"}})
    config_maps.create(config_map("a"), namespace="to-be-deleted")
    namespaces.delete(name="to-be-deleted")
    wait_for_deletion(namespaces, "to-be-deleted", None)
