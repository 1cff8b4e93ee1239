"""Whether the only node has room for a pod, and the message if it does not."""

from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient

from sandbox.kubernetes.kubelet.scheduler import NODE_NAME, unschedulable_message
from sandbox.testing import eventually
from sandbox.tests.kubernetes.manifests import replica_set


def pod(*, node: str = "", phase: str = "Pending", **requests: str) -> dict[str, Any]:
    containers = [{"name": "backend", "resources": {"requests": requests}}]
    return {"spec": {"containers": containers, "nodeName": node}, "status": {"phase": phase}}


def test_a_pod_without_requests_always_fits() -> None:
    assert unschedulable_message(pod(), [pod(node=NODE_NAME, memory="43Gi", cpu="11")]) is None


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ({"memory": "500Gi"}, "0/1 nodes are available: 1 Insufficient memory. "),
        ({"memory": "500Gi", "cpu": "99"}, "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. "),
    ],
)
def test_the_message_names_each_insufficient_resource(requests: dict[str, str], message: str) -> None:
    assert str(unschedulable_message(pod(**requests), [])).startswith(message)


def test_only_bound_pods_that_are_not_finished_use_resources() -> None:
    wanted = pod(memory="30Gi")
    assert (
        unschedulable_message(wanted, [pod(memory="30Gi"), pod(node=NODE_NAME, phase="Succeeded", memory="30Gi")])
        is None
    )
    assert unschedulable_message(wanted, [pod(node=NODE_NAME, phase="Running", memory="30Gi")]) is not None


def test_a_limit_replaces_a_missing_request() -> None:
    limited = {"spec": {"containers": [{"name": "backend", "resources": {"limits": {"cpu": "12"}}}]}}
    assert unschedulable_message(limited, []) is not None


def test_an_unschedulable_pod_stays_pending_with_a_condition_and_an_event(
    client: DynamicClient, namespace: str
) -> None:
    resource = client.resources.get(api_version="apps/v1", kind="ReplicaSet")
    resource.create(replica_set("one", resources={"requests": {"memory": "500Gi"}}), namespace=namespace)
    pods, events = (client.resources.get(api_version="v1", kind=kind) for kind in ("Pod", "Event"))

    def unschedulable() -> dict[str, Any] | None:
        found = [item for item in pods.get(namespace=namespace).to_dict()["items"] if item["status"].get("conditions")]
        return found[0] if found else None

    found = eventually(unschedulable, "the pod's condition") or {}
    (condition,) = found["status"]["conditions"]
    assert (found["status"]["phase"], "nodeName" in found["spec"]) == ("Pending", False)
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert condition["message"].startswith("0/1 nodes are available: 1 Insufficient memory.")
    (event,) = eventually(
        lambda: [item for item in events.get(namespace=namespace).items if item.reason == "FailedScheduling"],
        "the event",
    )
    assert (event.type, event.message) == ("Warning", condition["message"])
