"""Whether the one node has room for a pod, and what is said of one for which it has not."""

from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient

from sandbox.kubernetes.kubelet.scheduler import NODE_NAME, why_no_room
from sandbox.testing import eventually
from sandbox.tests.kubernetes.manifests import replica_set


def pod(*, node: str = "", phase: str = "Pending", **requests: str) -> dict[str, Any]:
    containers = [{"name": "backend", "resources": {"requests": requests}}]
    return {"spec": {"containers": containers, "nodeName": node}, "status": {"phase": phase}}


def test_a_pod_that_asks_for_nothing_always_has_room() -> None:
    assert why_no_room(pod(), [pod(node=NODE_NAME, memory="43Gi", cpu="11")]) is None


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ({"memory": "500Gi"}, "0/1 nodes are available: 1 Insufficient memory. "),
        ({"memory": "500Gi", "cpu": "99"}, "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. "),
    ],
)
def test_what_the_node_lacks_is_named(requests: dict[str, str], why: str) -> None:
    assert str(why_no_room(pod(**requests), [])).startswith(why)


def test_only_pods_that_were_placed_and_are_not_over_take_room() -> None:
    wanted = pod(memory="30Gi")
    assert why_no_room(wanted, [pod(memory="30Gi"), pod(node=NODE_NAME, phase="Succeeded", memory="30Gi")]) is None
    assert why_no_room(wanted, [pod(node=NODE_NAME, phase="Running", memory="30Gi")]) is not None


def test_a_limit_stands_for_a_request_that_is_missing() -> None:
    limited = {"spec": {"containers": [{"name": "backend", "resources": {"limits": {"cpu": "12"}}}]}}
    assert why_no_room(limited, []) is not None


def test_a_pod_without_room_stays_pending_and_the_cluster_says_why(client: DynamicClient, namespace: str) -> None:
    resource = client.resources.get(api_version="apps/v1", kind="ReplicaSet")
    resource.create(replica_set("one", resources={"requests": {"memory": "500Gi"}}), namespace=namespace)
    pods, events = (client.resources.get(api_version="v1", kind=kind) for kind in ("Pod", "Event"))

    def refused() -> dict[str, Any] | None:
        found = [item for item in pods.get(namespace=namespace).to_dict()["items"] if item["status"].get("conditions")]
        return found[0] if found else None

    found = eventually(refused, "the scheduler's word") or {}
    (condition,) = found["status"]["conditions"]
    assert (found["status"]["phase"], "nodeName" in found["spec"]) == ("Pending", False)
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert condition["message"].startswith("0/1 nodes are available: 1 Insufficient memory.")
    (said,) = eventually(
        lambda: [event for event in events.get(namespace=namespace).items if event.reason == "FailedScheduling"],
        "the event",
    )
    assert (said.type, said.message) == ("Warning", condition["message"])
