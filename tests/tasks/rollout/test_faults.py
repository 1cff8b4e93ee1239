"""Faults because of which a canary does not reach its pause: the error has the reason and the pod's diagnostics."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from delivery.application.planning import CanaryRun
from delivery.context import ReleaseContext
from delivery.errors import NotApplied, NotPromoted, RolloutBroken
from delivery.rollout.manifests import CanaryStep
from sandbox.aws.client import client
from sandbox.testing import eventually
from tasks.canary.start import wait_until_paused
from tasks.rollout.steps import end_pause
from tests.shop import SERVER, Shop
from tests.tasks.canaries import change_pods, install, reach_first_pause, start, with_deadlines

pytestmark = pytest.mark.proof

UNREADY = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("no database yet", flush=True)
        self.send_error(503)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8000), Handler).serve_forever()
"""
# Healthy, except in the health check of the load balancer.
UNHEALTHY_TARGET = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_balancer = self.headers["User-Agent"] == "ELB-HealthChecker/2.0"
        self.send_response(503 if is_balancer else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8000), Handler).serve_forever()
"""
# Healthy until a request to /break.
BREAKABLE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    broken = False
    def do_GET(self):
        Handler.broken |= self.path == "/break"
        self.send_response(503 if Handler.broken else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8000), Handler).serve_forever()
"""


def release_until_error(shop: Shop, digest: str, error: type[Exception]) -> str:
    """The error with which a release of the digest ends before its first pause."""
    with shop.release(digest) as context, pytest.raises(error) as stopped:
        start_and_wait_for_pause(shop, context)
    return str(stopped.value)


def start_and_wait_for_pause(shop: Shop, context: ReleaseContext) -> None:
    canary = start(shop, context)
    wait_until_paused.fn(shop.environment, canary, canary.steps[0])


def release_until_timeout(shop: Shop, digest: str, part: str) -> str:
    """The error of a release that waits in vain for its first pause, as soon as the error contains this part."""
    with shop.release(digest) as context:
        canary = start(shop, context)
        return wait_for_error(shop, canary, canary.steps[0], part)


def wait_for_error(shop: Shop, canary: CanaryRun, step: CanaryStep, part: str) -> str:
    """Wait for the pause again and again, with a short deadline, until the error contains this part."""

    def wait_for_pause() -> str:
        with pytest.raises(NotApplied) as stopped:
            wait_until_paused.fn(with_deadlines(shop.environment, 1), canary, step)
        return str(stopped.value) if part in str(stopped.value) else ""

    return eventually(wait_for_pause)


def seconds_since_first(shop: Shop, reason: str) -> float:
    """Since the first event of a pod with this reason."""
    events = shop.cluster.list("Event", shop.namespace, fields="involvedObject.kind=Pod")
    first = min(event["firstTimestamp"] for event in events if event["reason"] == reason)
    return (datetime.now(UTC) - datetime.fromisoformat(first)).total_seconds()


def test_a_pod_that_never_becomes_ready_is_named_with_its_probe_and_its_log(shop: Shop) -> None:
    install(shop, shop.push("a"))
    error = release_until_timeout(shop, shop.push("b", program=UNREADY), "end of its log")
    assert error.startswith(
        "Waited 1s for the pause at 30 %: the canary has too few pods: 0 of 1 pods are available (pod till-"
    )
    assert "container till is running and not ready)." in error
    assert "last warning Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503" in error
    assert "end of its log: no database yet" in error


def test_a_crash_loop_is_reported_within_a_minute_with_exit_code_and_log(shop: Shop) -> None:
    install(shop, shop.push("a"))
    crashing = shop.push("b", program="print('no such table: orders'); raise SystemExit(3)")
    error = release_until_error(shop, crashing, NotPromoted)
    assert seconds_since_first(shop, "BackOff") < 60
    assert re.search(r"The new revision 2 \(hash \w+\) does not serve: pod till-", error)
    assert "CrashLoopBackOff (exit code 3)." in error
    assert "end of its log: no such table: orders" in error


def test_an_image_that_cannot_be_pulled_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))
    digest = shop.push("b")
    ecr = client("ecr", shop.sandbox.addresses, shop.sandbox.settings)
    repository = shop.environment.application.repository
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    error = release_until_error(shop, digest, NotPromoted)
    assert "ErrImagePull" in error or "ImagePullBackOff" in error
    assert digest in error


def test_an_exhausted_quota_is_reported_with_its_limits(shop: Shop) -> None:
    install(shop, shop.push("a"))
    metadata = {"name": "few", "namespace": shop.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "2"}}}
    shop.cluster.apply(quota)
    error = release_until_error(shop, shop.push("b"), RolloutBroken)
    assert "Rollout till cannot continue: its pods cannot be created: pods " in error
    assert "exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2" in error


def test_a_config_map_that_a_variable_needs_and_that_does_not_exist_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))

    def use_prices_in_a_variable(spec: dict[str, Any]) -> None:
        reference = {"configMapKeyRef": {"name": "prices", "key": "list"}}
        spec["containers"][0]["env"] = [{"name": "PRICES", "valueFrom": reference}]

    change_pods(shop, use_prices_in_a_variable)
    error = release_until_error(shop, shop.push("b"), NotPromoted)
    assert 'CreateContainerConfigError (configmap "prices" not found)' in error


def test_a_config_map_that_a_volume_needs_and_that_does_not_exist_is_named_by_a_warning(shop: Shop) -> None:
    install(shop, shop.push("a"))

    def mount_prices(spec: dict[str, Any]) -> None:
        spec["volumes"] = [{"name": "prices", "configMap": {"name": "prices"}}]
        spec["containers"][0]["volumeMounts"] = [{"name": "prices", "mountPath": "/prices"}]

    change_pods(shop, mount_prices)
    error = release_until_timeout(shop, shop.push("b"), "last warning FailedMount")
    assert "container till is waiting: ContainerCreating" in error
    assert 'last warning FailedMount: MountVolume.SetUp failed for volume "prices" : configmap "prices" not' in error


def test_a_stable_revision_that_breaks_is_reported_as_the_reason_for_an_unchanged_weight(shop: Shop) -> None:
    install(shop, shop.push("a", program=BREAKABLE))
    stuck = "is 30 %, not 70 %: the controller moves no traffic until the stable revision has enough pods; 0 of 1 pods"
    with shop.release(shop.push("b", program=SERVER + "# b")) as context:
        live, canary = reach_first_pause(shop, context)
        for pod in live.cluster.list("Pod", shop.namespace, f"rollouts-pod-template-hash={canary.stable_hash}"):
            httpx.get(f"http://{pod['status']['podIP']}:8000/break", trust_env=False)
        live.wait_until(
            live.read,
            lambda now: "it is available" if now.stable and now.stable.available else None,
            "the stable revision to break",
            deadline=shop.environment.canary.ready_deadline,
        )
        end_pause(live, context, canary.canary_hash, canary.steps[0])
        wait_for_error(shop, canary, canary.steps[1], stuck)


def test_a_canary_that_fits_on_no_node_is_reported_with_the_message_of_the_scheduler(shop: Shop) -> None:
    install(shop, shop.push("a"))

    def request_much_memory(spec: dict[str, Any]) -> None:
        spec["containers"][0]["resources"] = {"requests": {"memory": "500Gi"}}

    change_pods(shop, request_much_memory)
    error = release_until_timeout(shop, shop.push("b"), "last warning FailedScheduling")
    message = "0/1 nodes are available: 1 Insufficient memory. preemption: "
    assert "0 of 1 pods are available (pod till-" in error
    assert f"it cannot be scheduled: {message}" in error
    assert f"last warning FailedScheduling: {message}" in error


def test_a_pod_that_is_unhealthy_for_the_load_balancer_is_named_with_its_readiness_gate(shop: Shop) -> None:
    """The probe of the kubelet succeeds, and the health check of the load balancer fails.

    It fails for the second pod, because the canary Service selects its revision only after the first pod is available.
    """
    install(shop, shop.push("a"))
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    manifests[0]["metadata"]["labels"] = {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}
    path.write_text(yaml.safe_dump_all(manifests))
    with shop.release(shop.push("b", program=UNHEALTHY_TARGET)) as context:
        live, canary = reach_first_pause(shop, context)
        end_pause(live, context, canary.canary_hash, canary.steps[0])
        error = wait_for_error(shop, canary, canary.steps[1], "failed with these codes")
    assert "the canary has too few pods: 1 of 2 pods are available (pod till-" in error
    assert "its readiness gates are not True: target-health.elbv2.k8s.aws/k8s-" in error
    assert "(Health checks failed with these codes: [503])" in error
