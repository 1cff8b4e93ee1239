"""What `kubectl argo rollouts` sends, verb by verb, and what the controller makes of it.

Each call is written as the plugin's v1.9.1 was seen to send it to this API server: method, path, content type and body.
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
# Of all these `get rollout` and `status` keep a copy, whatever they print of it.
DRAWN = (
    "/apis/apps/v1/namespaces/{}/replicasets",
    "/apis/apps/v1/namespaces/{}/deployments",
    "/api/v1/namespaces/{}/pods",
    ROLLOUTS,
    "/apis/argoproj.io/v1alpha1/namespaces/{}/experiments",
    "/apis/argoproj.io/v1alpha1/namespaces/{}/analysisruns",
)
LAST_STEP = 8


class Plugin:
    """The verbs for the Rollout `backend`."""

    def __init__(self, http: httpx.Client, namespace: str) -> None:
        self._http, self._namespace = http, namespace
        self._path = f"{ROLLOUTS.format(namespace)}/backend"

    def list_all(self, path: str) -> dict[str, Any]:
        answer = self._http.get(path.format(self._namespace), params={"limit": "500", "resourceVersion": "0"})
        return answer.raise_for_status().json()

    def watch(self, path: str, resource_version: str) -> list[dict[str, Any]]:
        """The events of one second; the plugin asks for some minutes, and goes before."""
        query = {"allowWatchBookmarks": "true", "resourceVersion": resource_version, "timeoutSeconds": "1"}
        answer = self._http.get(path.format(self._namespace), params=query | {"timeout": "1s", "watch": "true"})
        return [json.loads(line) for line in answer.raise_for_status().text.splitlines()]

    def get(self) -> dict[str, Any]:
        return self._http.get(self._path).raise_for_status().json()

    def set_image(self, image: str, found: dict[str, Any] | None = None) -> httpx.Response:
        """The whole object as it was read, with the image in it. found: as read before, unless it is read now."""
        changed = found or self.get()
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = image
        return self._send("PUT", self._path, JSON, changed)

    def promote(self) -> None:
        """Unconditional: at a pause it clears that, otherwise it tells the controller to be one step further."""
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
        """The revision's pod template without the hash, put in the place of the Rollout's."""
        labels = {"labelSelector": "app=backend"}
        found = self._http.get(DRAWN[0].format(self._namespace), params=labels).raise_for_status().json()["items"]
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
    """As client-go goes by a kubeconfig: its authority and its token."""
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
    """A canary of B at its first pause, with A serving; the stable revision's hash."""
    canary.deploy(image(ANSWER="A"))
    plugin.set_image(image(ANSWER="B")).raise_for_status()
    return canary.wait_for_pause(1)["stableRS"]


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.rpartition("/")[2])
def test_get_rollout_lists_and_watches_each_kind_that_it_draws(
    canary: Canary, plugin: Plugin, image: Image, path: str
) -> None:
    canary.deploy(image(ANSWER="A"))
    found = plugin.list_all(path)
    assert found["kind"].endswith("List")
    events = plugin.watch(path, found["metadata"]["resourceVersion"])
    assert not [event for event in events if event["type"] == "ERROR"]


def test_set_image_puts_the_object_it_has_read_and_begins_a_canary(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    canary.deploy(image(ANSWER="A"))
    read = plugin.get()
    canary.patch(metadata={"annotations": {"somebody": "else"}})
    assert plugin.set_image(image(ANSWER="B"), found=read).status_code == 409
    assert plugin.set_image(image(ANSWER="B")).status_code == 200
    assert canary.wait_for_pause(1)["canary"]["weights"]["canary"]["weight"] == 20


def test_promote_at_a_pause_clears_it_and_nothing_else(canary: Canary, plugin: Plugin, image: Image) -> None:
    at_first_pause(canary, plugin, image)
    plugin.promote()
    canary.wait_for_pause(3)
    assert canary.weights() == {"backend-canary": 40, "backend-stable": 60}


def test_promote_of_one_that_does_not_pause_skips_the_step_it_works_at(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    """The weight was to be set once the pod is available: it stands at the pause with none of the traffic."""
    canary.deploy(image(ANSWER="A"))
    plugin.set_image(image("raise SystemExit(1)")).raise_for_status()
    canary.wait(
        lambda status: status.get("currentStepIndex") == 0 and status.get("updatedReplicas"), "the canary's pod"
    )
    plugin.promote()
    canary.wait_for_pause(1)
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}


def test_promote_of_one_that_is_done_changes_nothing(canary: Canary, plugin: Plugin, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    plugin.promote()
    assert canary.is_done(canary.status())
    assert canary.status()["currentStepIndex"] == LAST_STEP


def test_pause_is_told_before_the_canarys_own_pause_and_promote_ends_both(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    at_first_pause(canary, plugin, image)
    plugin.pause()
    status = canary.wait(lambda status: status.get("message") == "manually paused", "the pause by hand")
    assert status["phase"] == "Paused"
    plugin.promote()
    canary.wait_for_pause(3)
    assert not canary.get()["spec"]["paused"]


def test_promote_full_goes_to_all_traffic_past_every_pause(canary: Canary, plugin: Plugin, image: Image) -> None:
    stable = at_first_pause(canary, plugin, image)
    plugin.promote_fully()
    status = canary.wait(canary.is_done, "the promotion")
    assert status["stableRS"] != stable
    assert not status.get("promoteFull")


def test_abort_takes_the_traffic_back_and_retry_begins_again(canary: Canary, plugin: Plugin, image: Image) -> None:
    stable = at_first_pause(canary, plugin, image)
    plugin.abort()
    status = canary.wait(lambda status: status.get("abortedAt"), "the abort")
    assert (status["phase"], condition(status, "Progressing")) == ("Degraded", ("False", "RolloutAborted"))
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}
    plugin.retry()
    status = canary.wait_for_pause(1)
    assert status["stableRS"] == stable != status["currentPodHash"]
    assert not status.get("abort")


def test_undo_puts_the_template_of_a_revision_back_which_gets_a_new_number(
    canary: Canary, plugin: Plugin, image: Image
) -> None:
    first = at_first_pause(canary, plugin, image)
    plugin.promote_fully()
    second = canary.wait(canary.is_done, "the promotion")["stableRS"]
    plugin.undo("1")
    assert canary.wait_for_pause(1)["currentPodHash"] == first
    assert canary.revisions() == {first: "3", second: "2"}


def test_undo_of_an_aborted_canary_is_at_rest_without_steps(canary: Canary, plugin: Plugin, image: Image) -> None:
    """The way out of `Degraded` that is left where nobody but a person is there."""
    stable = at_first_pause(canary, plugin, image)
    plugin.abort()
    canary.wait(lambda status: status.get("abortedAt"), "the abort")
    plugin.undo("1")
    assert canary.wait(canary.is_done, "the stable revision at rest")["currentPodHash"] == stable
