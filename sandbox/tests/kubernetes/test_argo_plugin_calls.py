"""The API calls of `kubectl argo rollouts`, command by command, and the controller's reaction to them.

Each call has the method, path, content type and body that the plugin v1.9.1 sent to this API server.
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from kubernetes.dynamic import DynamicClient

from sandbox.tests.kubernetes.canary import Canary, condition

Image = Callable[..., str]
Body = Mapping[str, Any]

MERGE, JSON_PATCH, JSON = "application/merge-patch+json", "application/json-patch+json", "application/json"
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts"
# `get rollout` and `status` list and watch all of these resources.
LISTED_PATHS = (
    "/apis/apps/v1/namespaces/{}/replicasets",
    "/apis/apps/v1/namespaces/{}/deployments",
    "/api/v1/namespaces/{}/pods",
    ROLLOUTS,
    "/apis/argoproj.io/v1alpha1/namespaces/{}/experiments",
    "/apis/argoproj.io/v1alpha1/namespaces/{}/analysisruns",
)
LAST_STEP = 8


class Plugin:
    """The plugin's commands for the Rollout `backend`."""

    def __init__(self, http: httpx.Client, namespace: str) -> None:
        self._http, self._namespace = http, namespace
        self._path = f"{ROLLOUTS.format(namespace)}/backend"

    def list_all(self, path: str) -> dict[str, Any]:
        response = self._http.get(path.format(self._namespace), params={"limit": "500", "resourceVersion": "0"})
        return response.raise_for_status().json()

    def watch(self, path: str, resource_version: str) -> list[dict[str, Any]]:
        """The events of one second. The plugin requests some minutes and disconnects earlier."""
        query = {"allowWatchBookmarks": "true", "resourceVersion": resource_version, "timeoutSeconds": "1"}
        response = self._http.get(path.format(self._namespace), params=query | {"timeout": "1s", "watch": "true"})
        return [json.loads(line) for line in response.raise_for_status().text.splitlines()]

    def get(self) -> dict[str, Any]:
        return self._http.get(self._path).raise_for_status().json()

    def set_image(self, image: str, found: dict[str, Any] | None = None) -> httpx.Response:
        """Send the whole object with the new image. found: the object as read before; without it, it is read now."""
        changed = found or self.get()
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = image
        return self._send("PUT", self._path, JSON, changed)

    def promote(self) -> None:
        """Clear the pause, or without a pause set the index of the next step. Both without a precondition."""
        found = self.get()
        status: dict[str, Any] = {"pauseConditions": None}
        if not found["status"].get("pauseConditions"):
            status["currentStepIndex"] = min(found["status"]["currentStepIndex"] + 1, LAST_STEP)
        self._patch_status(status)
        if found["spec"].get("paused"):
            self._patch({"spec": {"paused": False}})

    def promote_fully(self) -> None:
        self._patch_status({"promoteFull": True})

    def pause(self) -> None:
        self._patch({"spec": {"paused": True}})

    def abort(self) -> None:
        self._patch_status({"abort": True})

    def retry(self) -> None:
        self._patch_status({"abort": False})

    def undo(self, revision: str) -> None:
        """Replace the Rollout's pod template with the revision's, without the hash."""
        labels = {"labelSelector": "app=backend"}
        found = (
            self._http.get(LISTED_PATHS[0].format(self._namespace), params=labels).raise_for_status().json()["items"]
        )
        wanted = (item for item in found if item["metadata"]["annotations"]["rollout.argoproj.io/revision"] == revision)
        template = next(wanted)["spec"]["template"]
        del template["metadata"]["labels"]["rollouts-pod-template-hash"]
        replace = [{"op": "replace", "path": "/spec/template", "value": template}]
        self._send("PATCH", self._path, JSON_PATCH, replace).raise_for_status()

    def _patch(self, body: Body) -> None:
        self._send("PATCH", self._path, MERGE, body).raise_for_status()

    def _patch_status(self, status: Body) -> None:
        self._send("PATCH", f"{self._path}/status", MERGE, {"status": status}).raise_for_status()

    def _send(self, method: str, path: str, content_type: str, body: Any) -> httpx.Response:
        return self._http.request(method, path, headers={"Content-Type": content_type}, content=json.dumps(body))


@pytest.fixture(scope="module")
def http(kubeconfig: Path) -> Iterator[httpx.Client]:
    """A client with the certificate authority and the token of the kubeconfig, like client-go."""
    content = yaml.safe_load(kubeconfig.read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
    headers = {"Authorization": f"Bearer {user['token']}", "Accept": JSON}
    with httpx.Client(base_url=cluster["server"], verify=trust, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def canary(client: DynamicClient, namespace: str) -> Canary:
    return Canary(client, namespace)


@pytest.fixture
def plugin(http: httpx.Client, namespace: str) -> Plugin:
    return Plugin(http, namespace)


def at_first_pause(canary: Canary, plugin: Plugin, image: Image) -> str:
    """Deploy A, start a canary of B, and wait for its first pause. Returns the stable revision's hash."""
    canary.deploy(image(ANSWER="A"))
    plugin.set_image(image(ANSWER="B")).raise_for_status()
    return canary.wait_for_pause(1)["stableRS"]


@pytest.mark.parametrize("path", LISTED_PATHS, ids=lambda path: path.rpartition("/")[2])
def test_get_rollout_lists_and_watches_each_kind_that_it_shows(
    canary: Canary, plugin: Plugin, image: Image, path: str
) -> None:
    canary.deploy(image(ANSWER="A"))
    found = plugin.list_all(path)
    assert found["kind"].endswith("List")
    events = plugin.watch(path, found["metadata"]["resourceVersion"])
    assert not [event for event in events if event["type"] == "ERROR"]


def test_set_image_replaces_the_object_that_it_read_and_starts_a_canary(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    canary.deploy(image(ANSWER="A"))
    read = plugin.get()
    canary.patch(metadata={"annotations": {"changed": "yes"}})
    assert plugin.set_image(image(ANSWER="B"), found=read).status_code == 409
    assert plugin.set_image(image(ANSWER="B")).status_code == 200
    assert canary.wait_for_pause(1)["canary"]["weights"]["canary"]["weight"] == 20


def test_promote_at_a_pause_only_clears_the_pause(canary: Canary, plugin: Plugin, image: Image) -> None:
    at_first_pause(canary, plugin, image)
    plugin.promote()
    canary.wait_for_pause(3)
    assert canary.weights() == {"backend-canary": 40, "backend-stable": 60}


def test_promote_without_a_pause_skips_the_current_step(canary: Canary, plugin: Plugin, image: Image) -> None:
    """The skipped step sets the weight when the pod is available, so the canary pauses with weight 0."""
    canary.deploy(image(ANSWER="A"))
    plugin.set_image(image("raise SystemExit(1)")).raise_for_status()
    canary.wait(
        lambda status: status.get("currentStepIndex") == 0 and status.get("updatedReplicas"), "the canary's pod"
    )
    plugin.promote()
    canary.wait_for_pause(1)
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}


def test_promote_of_a_fully_promoted_rollout_changes_nothing(canary: Canary, plugin: Plugin, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    plugin.promote()
    assert canary.is_done(canary.status())
    assert canary.status()["currentStepIndex"] == LAST_STEP


def test_a_manual_pause_hides_the_canarys_pause_and_promote_ends_both(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    at_first_pause(canary, plugin, image)
    plugin.pause()
    status = canary.wait(lambda status: status.get("message") == "manually paused", "the manual pause")
    assert status["phase"] == "Paused"
    plugin.promote()
    canary.wait_for_pause(3)
    assert not canary.get()["spec"]["paused"]


def test_promote_full_promotes_past_every_pause(canary: Canary, plugin: Plugin, image: Image) -> None:
    stable = at_first_pause(canary, plugin, image)
    plugin.promote_fully()
    status = canary.wait(canary.is_done, "the promotion")
    assert status["stableRS"] != stable
    assert not status.get("promoteFull")


def test_abort_sets_weight_0_and_retry_starts_at_the_first_step(canary: Canary, plugin: Plugin, image: Image) -> None:
    stable = at_first_pause(canary, plugin, image)
    plugin.abort()
    status = canary.wait(lambda status: status.get("abortedAt"), "the abort")
    assert (status["phase"], condition(status, "Progressing")) == ("Degraded", ("False", "RolloutAborted"))
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}
    plugin.retry()
    status = canary.wait_for_pause(1)
    assert status["stableRS"] == stable != status["currentPodHash"]
    assert not status.get("abort")


def test_undo_restores_the_template_of_a_revision_with_a_new_revision_number(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    first = at_first_pause(canary, plugin, image)
    plugin.promote_fully()
    second = canary.wait(canary.is_done, "the promotion")["stableRS"]
    plugin.undo("1")
    assert canary.wait_for_pause(1)["currentPodHash"] == first
    assert canary.revisions() == {first: "3", second: "2"}


def test_undo_of_an_aborted_canary_is_healthy_without_steps(canary: Canary, plugin: Plugin, image: Image) -> None:
    """This is the manual way out of the phase Degraded."""
    stable = at_first_pause(canary, plugin, image)
    plugin.abort()
    canary.wait(lambda status: status.get("abortedAt"), "the abort")
    plugin.undo("1")
    assert canary.wait(canary.is_done, "the healthy stable revision")["currentPodHash"] == stable
