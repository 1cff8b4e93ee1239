"""Pods that a namespace's quota refuses, and how the cluster reports it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient

from sandbox.kubernetes.api.objects.quantities import parse_quantity
from sandbox.testing import eventually
from sandbox.tests.kubernetes.manifests import replica_set

RESOURCES = {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}


@pytest.fixture
def limited(client: DynamicClient, namespace: str) -> Callable[..., None]:
    """Creates a quota in the test's namespace."""
    resource = client.resources.get(api_version="v1", kind="ResourceQuota")
    return lambda **hard: resource.create({"metadata": {"name": "few"}, "spec": {"hard": hard}}, namespace=namespace)


def failure_of(client: DynamicClient, namespace: str) -> Any:
    found = client.resources.get(api_version="apps/v1", kind="ReplicaSet").get(name="backend", namespace=namespace)
    return next((item for item in found.status.conditions or [] if item.type == "ReplicaFailure"), None)


def test_a_replica_set_beyond_the_quota_gets_the_pods_that_fit_and_a_failure_condition(
    client, namespace, limited, image
) -> None:
    limited(**{"requests.cpu": "1", "requests.memory": "8Gi"})
    client.resources.get(api_version="apps/v1", kind="ReplicaSet").create(
        replica_set(image(), replicas=3, **RESOURCES), namespace=namespace
    )
    failure = eventually(lambda: failure_of(client, namespace), "the failure")
    assert failure.reason == "FailedCreate"
    assert failure.message.endswith(
        "exceeded quota: few, requested: requests.cpu=500m, used: requests.cpu=1, limited: requests.cpu=1"
    )
    assert len(client.resources.get(api_version="v1", kind="Pod").get(namespace=namespace).items) == 2


def test_the_missing_pods_are_created_after_the_quota_is_deleted(client, namespace, limited, image) -> None:
    limited(pods="1")
    client.resources.get(api_version="apps/v1", kind="ReplicaSet").create(
        replica_set(image(), replicas=2), namespace=namespace
    )
    eventually(lambda: failure_of(client, namespace), "the failure")
    client.resources.get(api_version="v1", kind="ResourceQuota").delete(name="few", namespace=namespace)
    eventually(lambda: failure_of(client, namespace) is None, "the end of the failure")


@pytest.mark.parametrize(("text", "amount"), [("500m", "0.5"), ("1Gi", "1073741824"), ("2", "2"), ("1k", "1000")])
def test_quantities_are_parsed(text: str, amount: str) -> None:
    assert parse_quantity(text) == Decimal(amount)
