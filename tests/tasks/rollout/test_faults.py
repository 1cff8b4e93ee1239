"""What keeps a canary from its pause: each ends the step by the reason and the pod's last words."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from delivery.application.planning import CanaryRun
from delivery.errors import NotApplied, NotPromoted, RolloutBroken
from delivery.release import Release
from delivery.rollout.manifests import CanaryStep
from sandbox.aws.client import client
from sandbox.testing import eventually
from tasks.canary.start import wait_until_paused
from tasks.rollout.steps import end_pause
from tests.shop import SERVER, Shop
from tests.tasks.canaries import change_pods, hasty, install, stand_at_first_pause, start

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
# Healthy to whoever asks but to the load balancer.
UNFIT = """
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


def why_stopped(shop: Shop, digest: str, error: type[Exception]) -> str:
    """By which sentence a release of the digest ends before its first pause."""
    with shop.release(digest) as release, pytest.raises(error) as stopped:
        arrive(shop, release)
    return str(stopped.value)


def arrive(shop: Shop, release: Release) -> None:
    """At the first pause."""
    canary = start(shop, release)
    wait_until_paused.fn(shop.environment, canary, canary.steps[0])


def why_given_up(shop: Shop, digest: str, said: str) -> str:
    """By which sentence a release ends that waits for what does not come.

    said: a part of it, until which it is asked for again: how soon a pod gets so far is the machine's affair.
    """
    with shop.release(digest) as release:
        canary = start(shop, release)
        return wait_for_sentence(shop, canary, canary.steps[0], said)


def wait_for_sentence(shop: Shop, canary: CanaryRun, step: CanaryStep, said: str) -> str:
    """What is said of a pause that is not reached, once this is in it."""

    def give_up() -> str:
        with pytest.raises(NotApplied) as stopped:
            wait_until_paused.fn(hasty(shop.environment, 1), canary, step)
        return str(stopped.value) if said in str(stopped.value) else ""

    return eventually(give_up)


def seconds_since_first(shop: Shop, reason: str) -> float:
    """From the first time that the cluster said it of a pod."""
    events = shop.cluster.list("Event", shop.namespace, fields="involvedObject.kind=Pod")
    first = min(event["firstTimestamp"] for event in events if event["reason"] == reason)
    return (datetime.now(UTC) - datetime.fromisoformat(first)).total_seconds()


def test_pods_that_never_become_ready_are_named_with_probe_and_log(shop: Shop) -> None:
    install(shop, shop.push("a"))
    sentence = why_given_up(shop, shop.push("b", program=UNREADY), "its log ends")
    assert sentence.startswith(
        "Waited 0:00:01 for the pause at 30 %: of the canary, 0 of 1 pods are available (pod till-"
    )
    assert "container till runs and is not ready)." in sentence
    assert "said last: Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503" in sentence
    assert "its log ends: no database yet" in sentence


def test_a_crash_loop_is_said_within_a_minute_with_exit_code_and_log(shop: Shop) -> None:
    install(shop, shop.push("a"))
    crashing = shop.push("b", program="print('no such table: orders'); raise SystemExit(3)")
    sentence = why_stopped(shop, crashing, NotPromoted)
    assert seconds_since_first(shop, "BackOff") < 60
    assert re.search(r"The new revision, 2 \(hash \w+\), does not serve: pod till-", sentence)
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
    sentence = why_given_up(shop, shop.push("b"), "said last: FailedMount")
    assert "container till waits: ContainerCreating" in sentence
    assert 'said last: FailedMount: MountVolume.SetUp failed for volume "prices" : configmap "prices" not' in sentence


def test_a_stable_revision_that_breaks_keeps_the_weight_where_it_is_and_is_named(shop: Shop) -> None:
    install(shop, shop.push("a", program=BREAKABLE))
    stuck = "the controller's weight is 30 %, not 70 %: of the stable revision, 0 of 1 pods"
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
        end_pause(live, release, canary.canary_hash, canary.steps[0])
        wait_for_sentence(shop, canary, canary.steps[1], stuck)


def test_a_canary_that_no_node_has_room_for_is_told_in_the_schedulers_words(shop: Shop) -> None:
    install(shop, shop.push("a"))

    def ask_for_much(spec: dict[str, Any]) -> None:
        spec["containers"][0]["resources"] = {"requests": {"memory": "500Gi"}}

    change_pods(shop, ask_for_much)
    sentence = why_given_up(shop, shop.push("b"), "said last: FailedScheduling")
    no_room = "0/1 nodes are available: 1 Insufficient memory. preemption: "
    assert "0 of 1 pods are available (pod till-" in sentence
    assert f"it cannot be scheduled: {no_room}" in sentence
    assert f"said last: FailedScheduling: {no_room}" in sentence


def test_a_pod_that_the_load_balancer_finds_unhealthy_keeps_its_gate_closed_and_is_named(shop: Shop) -> None:
    """The kubelet's probe is content. The canary's second pod waits for the load balancer's, since only from the first
    one's availability on the canary Service selects its revision.
    """
    install(shop, shop.push("a"))
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    manifests[0]["metadata"]["labels"] = {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}
    path.write_text(yaml.safe_dump_all(manifests))
    with shop.release(shop.push("b", program=UNFIT)) as release:
        live, canary = stand_at_first_pause(shop, release)
        end_pause(live, release, canary.canary_hash, canary.steps[0])
        sentence = wait_for_sentence(shop, canary, canary.steps[1], "failed with these codes")
    assert "of the canary, 1 of 2 pods are available (pod till-" in sentence
    assert "its readiness gates are not open: target-health.elbv2.k8s.aws/k8s-" in sentence
    assert "(Health checks failed with these codes: [503])" in sentence
