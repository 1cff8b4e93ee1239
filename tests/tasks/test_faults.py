"""What keeps a canary from its pause: each ends the step by the reason and the pod's last words."""

import time
from typing import Any

import httpx
import pytest

from delivery.errors import NotApplied, NotPromoted, RolloutBroken
from delivery.release import Release
from sandbox.aws.client import client
from tasks.rollouts import wait_until_paused
from tasks.traffic import end_pause
from tests.shop import SERVER, Shop
from tests.tasks.canaries import change_pods, hasty, install, stand_at_first_pause, start

# Each waits for what a cluster takes its time for.
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
# Healthy until somebody asks for /break.
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


def why_stopped(shop: Shop, digest: str, error: type[Exception], *, seconds: int = 30) -> str:
    """By which sentence a release of the digest ends before its first pause."""
    with shop.release(digest) as release, pytest.raises(error) as stopped:
        arrive(shop, release, seconds)
    return str(stopped.value)


def arrive(shop: Shop, release: Release, seconds: int) -> None:
    """At the first pause, within so many seconds."""
    canary = start(shop, release)
    wait_until_paused.fn(hasty(shop.environment, seconds), canary, canary.steps[0])


def test_pods_that_never_become_ready_are_named_with_probe_and_log(shop: Shop) -> None:
    install(shop, shop.push("a"))
    sentence = why_stopped(shop, shop.push("b", program=UNREADY), NotApplied, seconds=6)
    assert sentence.startswith(
        "Waited 0:00:06 for the pause at 30 %: of the canary, 0 of 1 pods are available (pod till-"
    )
    assert "container till runs and is not ready)." in sentence
    assert "said last: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503" in sentence
    assert "its log ends: no database yet" in sentence


def test_a_crash_loop_is_said_within_a_minute_with_exit_code_and_log(shop: Shop) -> None:
    install(shop, shop.push("a"))
    begun = time.monotonic()
    crashing = shop.push("b", program="print('no such table: orders'); raise SystemExit(3)")
    sentence = why_stopped(shop, crashing, NotPromoted)
    assert time.monotonic() - begun < 60
    assert "The new revision does not serve: pod till-" in sentence
    assert "CrashLoopBackOff (it ended with exit code 3)." in sentence
    assert "its log ends: no such table: orders" in sentence


def test_an_image_that_cannot_be_pulled_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))
    digest = shop.push("b")
    ecr = client("ecr", shop.sandbox.addresses, shop.sandbox.settings)
    repository = shop.environment.application.repository
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    sentence = why_stopped(shop, digest, NotPromoted)
    assert "ErrImagePull" in sentence or "ImagePullBackOff" in sentence
    assert digest in sentence


def test_a_full_quota_is_named_with_what_it_leaves(shop: Shop) -> None:
    install(shop, shop.push("a"))
    metadata = {"name": "few", "namespace": shop.namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "2"}}}
    shop.cluster.apply(quota)
    sentence = why_stopped(shop, shop.push("b"), RolloutBroken)
    assert "Rollout till cannot go on: its pods cannot be made: pods " in sentence
    assert "exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2" in sentence


def test_a_config_map_that_is_missing_from_the_environment_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))

    def ask_for_prices(spec: dict[str, Any]) -> None:
        reference = {"configMapKeyRef": {"name": "prices", "key": "list"}}
        spec["containers"][0]["env"] = [{"name": "PRICES", "valueFrom": reference}]

    change_pods(shop, ask_for_prices)
    sentence = why_stopped(shop, shop.push("b"), NotPromoted)
    assert 'CreateContainerConfigError (configmap "prices" not found)' in sentence


def test_a_config_map_that_is_missing_from_a_volume_is_named_by_the_clusters_warning(shop: Shop) -> None:
    install(shop, shop.push("a"))

    def mount_prices(spec: dict[str, Any]) -> None:
        spec["volumes"] = [{"name": "prices", "configMap": {"name": "prices"}}]
        spec["containers"][0]["volumeMounts"] = [{"name": "prices", "mountPath": "/prices"}]

    change_pods(shop, mount_prices)
    sentence = why_stopped(shop, shop.push("b"), NotApplied, seconds=4)
    assert "container till waits: ContainerCreating" in sentence
    assert 'said last: FailedMount: MountVolume.SetUp failed for volume "prices" : configmap "prices" not' in sentence


def test_a_stable_revision_that_breaks_keeps_the_weight_where_it_is_and_is_named(shop: Shop) -> None:
    install(shop, shop.push("a", program=BREAKABLE))
    with shop.release(shop.push("b", program=SERVER + "# b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        for pod in live.cluster.list("Pod", shop.namespace, f"rollouts-pod-template-hash={canary.stable_hash}"):
            httpx.get(f"http://{pod['status']['podIP']}:8000/break", trust_env=False)
        live.wait_until(
            live.read,
            lambda now: "it serves" if now.stable and now.stable.available else None,
            "the stable revision to break",
            deadline=shop.environment.canary.ready_deadline,
        )
        end_pause(live, canary.canary_hash, canary.steps[0])
        with pytest.raises(NotApplied) as stopped:
            wait_until_paused.fn(hasty(shop.environment, 6), canary, canary.steps[1])
    assert "the controller's weight is 30 %, not 70 %: of the stable revision, 0 of 1 pods" in str(stopped.value)
