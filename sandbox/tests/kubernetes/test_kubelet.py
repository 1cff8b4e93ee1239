"""Pods as processes: started from images, configured, probed, restarted and terminated."""

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.client import CoreV1Api
from kubernetes.dynamic import DynamicClient

from sandbox.testing import PATIENCE, eventually
from sandbox.tests.kubernetes.images import SERVER
from sandbox.tests.kubernetes.manifests import replica_set


@pytest.fixture
def run(client: DynamicClient, namespace: str) -> Callable[[dict], None]:
    """Creates a ReplicaSet in the test's namespace."""
    resource = client.resources.get(api_version="apps/v1", kind="ReplicaSet")
    return lambda body: resource.create(body, namespace=namespace)


@pytest.fixture
def pods(client: DynamicClient, namespace: str) -> Callable[[], list[Any]]:
    resource = client.resources.get(api_version="v1", kind="Pod")
    return lambda: resource.get(namespace=namespace).items


@pytest.fixture
def one_pod(pods) -> Callable[[Callable[[Any], bool], str], Any]:
    """Waits for a pod that meets a condition, and returns it."""

    def wait(meets: Callable[[Any], bool], what: str) -> Any:
        return eventually(lambda: next((pod for pod in pods() if pod.status.podIP and meets(pod)), None), what)

    return wait


def is_ready(pod: Any) -> bool:
    return any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions or [])


def waits_for(reason: str) -> Callable[[Any], bool]:
    def meets(pod: Any) -> bool:
        state = pod.status.containerStatuses[0].state
        return bool(state.waiting) and state.waiting.reason == reason

    return meets


def response_of(pod: Any) -> str:
    return urllib.request.urlopen(f"http://{pod.status.podIP}:8080/", timeout=PATIENCE).read().decode()


def test_each_ready_pod_serves_at_its_own_address(run, one_pod, pods, image) -> None:
    run(replica_set(image(ANSWER="hello"), replicas=2))
    eventually(lambda: sum(map(is_ready, pods())) == 2, "two ready pods")
    assert [response_of(pod) for pod in pods()] == ["hello", "hello"]
    assert len({pod.status.podIP for pod in pods()}) == 2


def test_the_replica_set_counts_its_ready_pods(run, client, namespace, image) -> None:
    run(replica_set(image(), replicas=2))
    resource = client.resources.get(api_version="apps/v1", kind="ReplicaSet")

    def status() -> Any:
        return resource.get(name="backend", namespace=namespace).status

    eventually(lambda: status().availableReplicas == 2, "two available replicas")
    assert (status().replicas, status().readyReplicas) == (2, 2)


def test_variables_and_files_come_from_secrets_and_config_maps(run, client, namespace, one_pod, image) -> None:
    secrets = client.resources.get(api_version="v1", kind="Secret")
    secrets.create({"metadata": {"name": "rds"}, "stringData": {"host": "database"}}, namespace=namespace)
    config_maps = client.resources.get(api_version="v1", kind="ConfigMap")
    config_maps.create({"metadata": {"name": "config"}, "data": {"application.yml": "a: 1"}}, namespace=namespace)
    program = (
        "import os; root = os.environ['POD_ROOT']\n"
        "os.environ['ANSWER'] = os.environ['DB'] + open(root + '/app/config/application.yml').read()\n" + SERVER
    )
    body = replica_set(
        image(program),
        env=[
            {"name": "DB_HOST", "valueFrom": {"secretKeyRef": {"name": "rds", "key": "host"}}},
            {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "DB", "value": "$(DB_HOST)/$(NAMESPACE) "},
        ],
        volumeMounts=[{"name": "config", "mountPath": "/app/config"}],
    )
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "config"}}]
    run(body)
    pod = one_pod(is_ready, "a ready pod")
    assert response_of(pod) == f"database/{namespace} a: 1"


def test_a_container_with_a_missing_secret_starts_after_the_secret_is_created(
    run, client, namespace, one_pod, image
) -> None:
    reference = {"secretKeyRef": {"name": "rds", "key": "host"}}
    run(replica_set(image(), env=[{"name": "ANSWER", "valueFrom": reference}]))
    pod = one_pod(waits_for("CreateContainerConfigError"), "a configuration error")
    assert pod.status.containerStatuses[0].state.waiting.message == 'secret "rds" not found'
    secrets = client.resources.get(api_version="v1", kind="Secret")
    secrets.create({"metadata": {"name": "rds"}, "stringData": {"host": "database"}}, namespace=namespace)
    assert response_of(one_pod(is_ready, "a ready pod")) == "database"


@pytest.mark.parametrize("reference", ["{known}:latest", "{known}@sha256:" + "0" * 64])
def test_a_failed_image_pull_backs_off(reference, run, one_pod, image) -> None:
    run(replica_set(reference.format(known=image().split("@")[0])))
    pod = one_pod(waits_for("ImagePullBackOff"), "an image pull back-off")
    assert not is_ready(pod)


def test_a_container_that_exits_goes_into_crash_loop_back_off(run, one_pod, image) -> None:
    run(replica_set(image("raise SystemExit('no database')")))
    pod = one_pod(waits_for("CrashLoopBackOff"), "a crash loop")
    status = pod.status.containerStatuses[0]
    assert status.lastState.terminated.exitCode == 1
    assert status.restartCount >= 1


def test_a_failed_liveness_probe_restarts_the_container(run, one_pod, image) -> None:
    run(replica_set(image(BAD_PATH="/live")))
    one_pod(lambda pod: pod.status.containerStatuses[0].restartCount >= 1, "a restart")


def test_a_failed_readiness_probe_makes_the_pod_unready_without_a_restart(
    run, one_pod, client, namespace, image
) -> None:
    run(replica_set(image(BAD_PATH="/ready")))
    events = client.resources.get(api_version="v1", kind="Event")
    eventually(lambda: any(event.reason == "Unhealthy" for event in events.get(namespace=namespace).items), "the event")
    pod = one_pod(lambda pod: bool(pod.status.containerStatuses[0].started), "a started pod")
    assert not is_ready(pod)
    assert pod.status.containerStatuses[0].restartCount == 0


def test_the_deletion_of_a_pod_ends_its_process_and_it_is_replaced(
    run, client, namespace, one_pod, wait_for_deletion, image
) -> None:
    run(replica_set(image(ANSWER="hello")))
    pod = one_pod(is_ready, "a ready pod")
    resource = client.resources.get(api_version="v1", kind="Pod")
    resource.delete(name=pod.metadata.name, namespace=namespace)
    wait_for_deletion(resource, pod.metadata.name, namespace)
    with pytest.raises(OSError, match="refused"):
        response_of(pod)
    other = one_pod(is_ready, "another ready pod")
    assert other.metadata.name != pod.metadata.name


def test_a_pod_with_a_readiness_gate_is_unready_until_its_condition_is_true(
    run, client, namespace, one_pod, image
) -> None:
    body = replica_set(image())
    body["spec"]["template"]["spec"]["readinessGates"] = [{"conditionType": "example.com/gate"}]
    run(body)

    def containers_are_ready(pod: Any) -> bool:
        return any(item.type == "ContainersReady" and item.status == "True" for item in pod.status.conditions or [])

    pod = one_pod(containers_are_ready, "ready containers")
    assert not is_ready(pod)
    resource = client.resources.get(api_version="v1", kind="Pod")
    gate = {"status": {"conditions": [{"type": "example.com/gate", "status": "True"}]}}
    resource.status.patch(gate, name=pod.metadata.name, namespace=namespace)
    one_pod(is_ready, "a ready pod")


def test_the_log_of_a_pod_is_read_through_the_api(run, one_pod, api_client, namespace, image) -> None:
    run(replica_set(image(ANSWER="hello")))
    pod = one_pod(is_ready, "a ready pod")
    log = CoreV1Api(api_client).read_namespaced_pod_log(pod.metadata.name, namespace)
    assert "listening on" in log


def test_the_deletion_of_a_namespace_deletes_its_running_pods(
    run, client, namespace, one_pod, wait_for_deletion, image
) -> None:
    run(replica_set(image(ANSWER="hello")))
    one_pod(is_ready, "a ready pod")
    resource = client.resources.get(api_version="v1", kind="Namespace")
    resource.delete(name=namespace)
    wait_for_deletion(resource, namespace, None)
    resource.create({"metadata": {"name": namespace}})
