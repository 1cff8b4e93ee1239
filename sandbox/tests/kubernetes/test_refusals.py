"""The requests that the API refuses, and its messages. Contract tests: they also run against a real control plane."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.tests.kubernetes.contract import each_endpoint
from sandbox.tests.kubernetes.manifests import ingress, replica_set, rollout, service

pytestmark = each_endpoint
MERGE = "application/merge-patch+json"
Manifest = dict[str, Any]
Refuse = Callable[..., Manifest]


def config_map(name: str = "settings", **more: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def changed(body: Manifest, path: str, value: Any) -> Manifest:
    """The manifest with another value at a dotted path; digits index a list. value: None removes the field."""
    *parents, last = path.split(".")
    found: Any = body
    for step in parents:
        found = found[int(step) if step.isdigit() else step]
    if value is None:
        del found[last]
    else:
        found[last] = value
    return body


@pytest.fixture
def refuse(client: DynamicClient, namespace: str) -> Refuse:
    """Creates an object, expects a refusal, and returns the Status."""

    def create(body: Manifest, **query: Any) -> Manifest:
        resource = client.resources.get(api_version=body["apiVersion"], kind=body["kind"])
        with pytest.raises(ApiException) as refused:
            resource.create(body, namespace=namespace, **query)
        return json.loads(refused.value.body or "")

    return create


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (config_map("Bad_Name"), 'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must'),
        (service("1st"), 'metadata.name: Invalid value: "1st": a DNS-1035 label must consist of'),
        (config_map(data={"a/b": "1"}), 'data[a/b]: Invalid value: "a/b": a valid config key must consist of'),
        (changed(service("one"), "spec.ports", []), "spec.ports: Required value"),
        (
            changed(service("one"), "spec.ports.0.port", 80000),
            "spec.ports[0].port: Invalid value: 80000: must be between 1 and 65535, inclusive",
        ),
        (
            changed(ingress(), "spec.rules.0.http.paths.0.pathType", None),
            "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
        ),
        (
            changed(ingress(), "spec.rules.1.http.paths.0.path", "api"),
            'spec.rules[1].http.paths[0].path: Invalid value: "api": must be an absolute path',
        ),
        (
            changed(replica_set("one"), "spec.replicas", -1),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            changed(replica_set("one"), "spec.template.metadata.labels", {"app": "other"}),
            'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match',
        ),
        (
            replica_set("one", volumeMounts=[{"name": "settings", "mountPath": "/app/config"}]),
            'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "settings"',
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else value.partition(":")[0],
)
def test_the_message_names_the_invalid_field(refuse: Refuse, body: Manifest, message: str) -> None:
    status = refuse(body)
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert message in status["message"]
    assert message.partition(": ")[0] in [cause["field"] for cause in status["details"]["causes"]]


def test_one_message_names_every_invalid_field(refuse: Refuse) -> None:
    bare = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "backend"}}
    status = refuse(bare)
    assert status["message"] == (
        'ReplicaSet.apps "backend" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid '
        "value: null: `selector` does not match template `labels`, spec.template.spec.containers: Required value]"
    )
    reasons = [cause["reason"] for cause in status["details"]["causes"]]
    assert reasons == ["FieldValueRequired", "FieldValueInvalid", "FieldValueRequired"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            config_map(data={"port": 6379}),
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
        ),
        (
            changed(replica_set("one"), "spec.replicas", "3"),
            "json: cannot unmarshal string into Go struct field ReplicaSetSpec.spec.replicas of type int32",
        ),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "data": {"a": "!!"}},
            "illegal base64 data at input byte 0",
        ),
    ],
    ids=["number instead of string", "string instead of number", "invalid base64"],
)
def test_a_value_of_a_wrong_type_is_a_bad_request(refuse: Refuse, body: Manifest, message: str) -> None:
    status = refuse(body)
    assert (status["code"], status["reason"]) == (400, "BadRequest")
    kind = body["kind"]
    assert status["message"] == f'{kind} in version "v1" cannot be handled as a {kind}: {message}'


def test_a_rollouts_fields_have_the_types_of_its_definition(refuse: Refuse) -> None:
    status = refuse(changed(rollout("one"), "spec.replicas", "3"))
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert 'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer' in status["message"]


def test_an_unknown_field_is_refused_with_strict_validation_and_otherwise_dropped(
    refuse: Refuse, client: DynamicClient, namespace: str
) -> None:
    body = config_map(data={"a": "1"}, dada={})
    status = refuse(body, query_params=[("fieldValidation", "Strict")])
    assert status["message"].endswith('strict decoding error: unknown field "dada"')
    created = client.resources.get(api_version="v1", kind="ConfigMap").create(body, namespace=namespace)
    assert "dada" not in created.to_dict()


def test_a_new_object_with_a_resource_version_is_refused(refuse: Refuse) -> None:
    status = refuse(changed(config_map(), "metadata.resourceVersion", "5"))
    assert (status["code"], status["message"]) == (500, "resourceVersion should not be set on objects to be created")


def test_a_patch_with_another_uid_is_refused(client: DynamicClient, namespace: str) -> None:
    config_maps = client.resources.get(api_version="v1", kind="ConfigMap")
    config_maps.create(config_map(), namespace=namespace)
    with pytest.raises(ApiException) as refused:
        config_maps.patch({"metadata": {"name": "settings", "uid": "x"}}, namespace=namespace, content_type=MERGE)
    assert refused.value.status == 422
    assert 'metadata.uid: Invalid value: \\"x\\": field is immutable' in (refused.value.body or "")


def test_a_deletion_with_another_resource_version_is_a_conflict(client: DynamicClient, namespace: str) -> None:
    config_maps = client.resources.get(api_version="v1", kind="ConfigMap")
    config_maps.create(config_map(), namespace=namespace)
    with pytest.raises(ApiException) as refused:
        config_maps.delete(name="settings", namespace=namespace, body={"preconditions": {"resourceVersion": "1"}})
    status = json.loads(refused.value.body or "")
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert "the ResourceVersion in the precondition (1) does not match" in status["message"]


@pytest.mark.parametrize(
    ("kind", "selector", "message"),
    [
        ("ConfigMap", "data.x=1", '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"'),
        ("Pod", "spec.image=1", "field label not supported: spec.image"),
    ],
)
def test_an_unsupported_field_selector_is_refused(client, namespace, kind, selector, message) -> None:
    with pytest.raises(ApiException) as refused:
        client.resources.get(api_version="v1", kind=kind).get(namespace=namespace, field_selector=selector)
    assert refused.value.status == 400
    assert message in json.loads(refused.value.body or "")["message"]


def test_the_cluster_ip_of_a_service_cannot_change(client: DynamicClient, namespace: str) -> None:
    services = client.resources.get(api_version="v1", kind="Service")
    services.create(service("one"), namespace=namespace)
    patch = {"metadata": {"name": "one"}, "spec": {"clusterIP": "10.0.0.99"}}
    with pytest.raises(ApiException) as refused:
        services.patch(patch, namespace=namespace, content_type=MERGE)
    assert 'spec.clusterIPs[0]: Invalid value: [\\"10.0.0.99\\"]: may not change once set' in (refused.value.body or "")
