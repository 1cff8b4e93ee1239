"""The controller's access to the Kubernetes API."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3
from kubernetes.client import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient

from sandbox.kubernetes.api.objects.kinds import Object, name_of, namespace_of
from sandbox.kubernetes.clock import timestamp

TIMEOUT = (2.0, 10.0)
MERGE = "application/merge-patch+json"
CONTROLLER = "ingress.k8s.aws/alb"
SOURCE = "ingress"
WATCH_SECONDS = 60
RETRY_SECONDS = 0.5
_API_ERRORS = (ApiException, urllib3.exceptions.HTTPError, OSError)


class ClusterState:
    """Objects of the cluster as plain JSON, by kind. Raises kubernetes.client.ApiException."""

    def __init__(self, state: Path) -> None:
        api = new_client_from_config(str(state / "kubeconfig"))
        self._recorded: set[tuple[str, str]] = set()
        self._client = DynamicClient(api, cache_file=str(state / "load-balancer-controller-discovery.json"))

    def select(self, version: str, kind: str, **selectors: str) -> list[Object]:
        found = self._resource(version, kind).get(_request_timeout=TIMEOUT, **selectors)
        return found.to_dict()["items"]

    def create(self, version: str, kind: str, body: Object) -> None:
        """Create the object unless it exists."""
        try:
            self._resource(version, kind).create(body, namespace=namespace_of(body), _request_timeout=TIMEOUT)
        except ApiException as error:
            if error.status != 409:
                raise

    def delete(self, version: str, kind: str, namespace: str, name: str) -> None:
        try:
            self._resource(version, kind).delete(name=name, namespace=namespace, _request_timeout=TIMEOUT)
        except ApiException as error:
            if error.status != 404:
                raise

    def patch_status(self, version: str, kind: str, obj: Object, status: Object, content_type: str = MERGE) -> None:
        self._resource(version, kind).status.patch(
            {"status": status},
            name=name_of(obj),
            namespace=namespace_of(obj),
            content_type=content_type,
            _request_timeout=TIMEOUT,
        )

    def record_event(self, about: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Record an Event about an object. An Event that was recorded before is not repeated."""
        identity = (about["metadata"]["uid"], message)
        if identity in self._recorded:
            return
        self._recorded.add(identity)
        reference = {"kind": about["kind"], "apiVersion": about["apiVersion"], "uid": about["metadata"]["uid"]}
        reference |= {"name": name_of(about), "namespace": namespace_of(about)}
        event = {
            "metadata": {"generateName": f"{name_of(about)}.", "namespace": namespace_of(about)},
            "involvedObject": reference,
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "message": message,
            "source": {"component": SOURCE},
            "firstTimestamp": timestamp(),
            "lastTimestamp": timestamp(),
            "count": 1,
        }
        self.create("v1", "Event", event)

    def watch(self, version: str, kind: str, changed: Callable[[], None]) -> None:
        """Call `changed` after every change of that kind, from a thread that ends with the process."""
        threading.Thread(target=self._watch, args=(version, kind, changed), daemon=True).start()

    def _watch(self, version: str, kind: str, changed: Callable[[], None]) -> None:
        while True:
            try:
                for _ in self._resource(version, kind).watch(timeout=WATCH_SECONDS):
                    changed()
            except _API_ERRORS:
                # The API server does not respond or no longer has the history: start a new watch.
                time.sleep(RETRY_SECONDS)

    def _resource(self, version: str, kind: str) -> Any:
        return self._client.resources.get(api_version=version, kind=kind)


def wait_for_cluster(state: Path, timeout: float) -> ClusterState:
    """The cluster, as soon as its API server responds. Raises TimeoutError after the timeout (seconds)."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return ClusterState(state)
        except Exception as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The Kubernetes API did not respond within {timeout:g} s: {error}") from error
            time.sleep(RETRY_SECONDS)


def is_alb_ingress(ingress: Object, classes: list[Object]) -> bool:
    """Whether the class of the Ingress, from its annotation or its field, belongs to the load balancer controller."""
    annotated = (ingress["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    if annotated is not None:
        return annotated == "alb"
    name = ingress["spec"].get("ingressClassName")
    return any(name_of(found) == name and found["spec"].get("controller") == CONTROLLER for found in classes)
