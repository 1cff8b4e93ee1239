"""Server-side apply: field ownership and conflicts. Contract tests: they also run against a real control plane."""

import json
from typing import Any

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.tests.kubernetes.contract import each_endpoint
from sandbox.tests.kubernetes.manifests import rollout

pytestmark = each_endpoint


@pytest.fixture
def services(client: DynamicClient) -> Any:
    return client.resources.get(api_version="v1", kind="Service")


def service(**more: Any) -> dict:
    spec = {"selector": {"app": "backend"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "backend"}, "spec": spec}


def owners(obj: Any) -> dict[tuple[str, str], dict]:
    return {(entry.manager, entry.operation): entry.fieldsV1.to_dict() for entry in obj.metadata.managedFields}


def test_apply_creates_an_object_and_a_second_apply_changes_nothing(services, namespace) -> None:
    created = services.server_side_apply(service(), namespace=namespace, field_manager="one")
    again = services.server_side_apply(service(), namespace=namespace, field_manager="one")
    assert again.metadata.resourceVersion == created.metadata.resourceVersion
    port = 'k:{"port":80,"protocol":"TCP"}'
    assert port in owners(again)["one", "Apply"]["f:spec"]["f:ports"]


def test_another_managers_value_is_a_conflict_that_names_the_field(services, namespace) -> None:
    services.server_side_apply(service(type="NodePort"), namespace=namespace, field_manager="one")
    with pytest.raises(ApiException) as refused:
        services.server_side_apply(service(type="ClusterIP"), namespace=namespace, field_manager="two")
    status = json.loads(refused.value.body or "")
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert [cause["field"] for cause in status["details"]["causes"]] == [".spec.type"]
    assert 'conflict with "one"' in status["message"]


def test_force_changes_the_owner_of_the_field(services, namespace) -> None:
    services.server_side_apply(service(type="NodePort"), namespace=namespace, field_manager="one")
    forced = services.server_side_apply(
        service(type="ClusterIP"), namespace=namespace, field_manager="two", force_conflicts=True
    )
    assert forced.spec.type == "ClusterIP"
    assert "f:type" not in owners(forced)["one", "Apply"]["f:spec"]


def test_a_field_that_is_no_longer_applied_is_removed(services, namespace) -> None:
    body = service()
    body["metadata"]["labels"] = {"keep": "1", "drop": "1"}
    services.server_side_apply(body, namespace=namespace, field_manager="one")
    body["metadata"]["labels"] = {"keep": "1"}
    applied = services.server_side_apply(body, namespace=namespace, field_manager="one")
    assert applied.metadata.labels.to_dict() == {"keep": "1"}


def test_each_manager_owns_its_items_of_a_shared_list(services, namespace) -> None:
    services.server_side_apply(service(), namespace=namespace, field_manager="one")
    shared = service(ports=[{"name": "metrics", "port": 90}])
    services.server_side_apply(shared, namespace=namespace, field_manager="two")
    moved = service(ports=[{"name": "metrics", "port": 91}])
    applied = services.server_side_apply(moved, namespace=namespace, field_manager="two")
    assert [(port.name, port.port) for port in applied.spec.ports] == [("http", 80), ("metrics", 91)]


def test_apply_does_not_change_the_fields_of_other_managers(services, namespace) -> None:
    services.server_side_apply(service(), namespace=namespace, field_manager="one")
    patch = {"metadata": {"name": "backend", "annotations": {"actions": "written by a controller"}}}
    services.patch(patch, namespace=namespace, content_type="application/merge-patch+json", field_manager="controller")
    applied = services.server_side_apply(service(), namespace=namespace, field_manager="one")
    assert applied.metadata.annotations.actions == "written by a controller"
    assert owners(applied)["controller", "Update"] == {"f:metadata": {"f:annotations": {".": {}, "f:actions": {}}}}


def test_a_dry_run_returns_the_whole_object_and_stores_nothing(services, namespace) -> None:
    tried = services.server_side_apply(service(), namespace=namespace, field_manager="one", dry_run="All")
    assert tried.spec.type == "ClusterIP"
    with pytest.raises(ApiException) as refused:
        services.get(name="backend", namespace=namespace)
    assert refused.value.status == 404


def test_apply_requires_a_field_manager(services, namespace) -> None:
    with pytest.raises(ApiException) as refused:
        services.server_side_apply(service(), namespace=namespace)
    assert refused.value.status == 422
    assert "fieldManager: Required value: is required for apply patch" in (refused.value.body or "")


def test_conflicts_with_one_manager_are_listed_line_by_line(services, namespace) -> None:
    services.server_side_apply(service(), namespace=namespace, field_manager="one")
    other = service(ports=[{"name": "web", "port": 80, "targetPort": 9090}], selector={"app": "other"})
    with pytest.raises(ApiException) as refused:
        services.server_side_apply(other, namespace=namespace, field_manager="two")
    assert json.loads(refused.value.body or "")["message"] == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .spec.selector\n'
        '- .spec.ports[port=80,protocol="TCP"].name\n- .spec.ports[port=80,protocol="TCP"].targetPort'
    )


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ([{"port": 80, "prot": "TCP"}], '.spec.ports[port=80,protocol="TCP"].prot: field not declared in schema'),
        (
            [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}],
            '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
        ),
    ],
    ids=["unknown field", "duplicate item"],
)
def test_a_body_that_does_not_match_the_schema_is_not_applied(services, namespace, ports, message) -> None:
    with pytest.raises(ApiException) as refused:
        services.server_side_apply(service(ports=ports), namespace=namespace, field_manager="one")
    assert refused.value.status == 500
    assert message in json.loads(refused.value.body or "")["message"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"setWeigth": 20}, ".spec.strategy.canary.steps[0].setWeigth: field not declared in schema"),
        (
            {"setWeight": "20"},
            ".spec.strategy.canary.steps[0].setWeight: expected numeric (int or float), got string",
        ),
    ],
    ids=["unknown field", "wrong type"],
)
def test_an_invalid_canary_step_is_not_applied(client, namespace, step, message) -> None:
    body = rollout("none", replicas=0)
    body["spec"]["strategy"]["canary"]["steps"] = [step]
    with pytest.raises(ApiException) as refused:
        client.resources.get(api_version=body["apiVersion"], kind="Rollout").server_side_apply(
            body, namespace=namespace, field_manager="one"
        )
    assert refused.value.status == 500
    assert message in json.loads(refused.value.body or "")["message"]


def test_list_items_have_the_order_of_the_last_apply(services, namespace) -> None:
    services.server_side_apply(service(), namespace=namespace, field_manager="one")
    first = {"name": "metrics", "port": 90}
    body = service(ports=[first, *service()["spec"]["ports"]])
    applied = services.server_side_apply(body, namespace=namespace, field_manager="two")
    assert [port.name for port in applied.spec.ports] == ["metrics", "http"]


def test_the_creator_of_an_object_owns_neither_its_status_nor_server_allocated_fields(services, namespace) -> None:
    created = services.create(service(), namespace=namespace, field_manager="one")
    owned = owners(created)["one", "Update"]
    assert owned.keys() == {"f:spec"}
    assert owned["f:spec"].keys() == {"f:internalTrafficPolicy", "f:ports", "f:selector", "f:sessionAffinity", "f:type"}
