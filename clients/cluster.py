"""The Kubernetes API of an environment: objects as plain dicts, one field manager, a timeout for each request."""

import copy
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3.exceptions
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, new_client_from_config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError, UnauthorizedError

from clients.aws.eks import BearerToken, Endpoint, describe_endpoint
from delivery.environment import Environment
from delivery.errors import (
    Conflict,
    DeliveryError,
    NotFound,
    NotPermitted,
    Rejected,
    SettingsError,
    Unavailable,
    is_transient,
)
from delivery.rollout.manifests import FIELD_MANAGER

CONNECT_AND_READ_SECONDS = (5, 40)  # the API server itself ends a write after 34 seconds
# By default, processes share one file per host with the discovered resources, which another user can write.
DISCOVERY = tempfile.TemporaryDirectory(prefix="slipway-discovery-")

API_VERSIONS = {
    "ConfigMap": "v1",
    "Event": "v1",
    "Namespace": "v1",
    "Pod": "v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "AnalysisTemplate": "argoproj.io/v1alpha1",
    "Rollout": "argoproj.io/v1alpha1",
    "TargetGroupBinding": "elbv2.k8s.aws/v1beta1",
    "Ingress": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
}


class TimedClient(DynamicClient):
    """The official client with a timeout, which it does not have itself, not even for discovery.

    renew: makes the next request use another token. It is called once if the cluster refuses the token of a request.
    """

    def __init__(self, api: ApiClient, renew: Callable[[], None] | None, **options: Any) -> None:
        self._renew = renew
        super().__init__(api, **options)

    def request(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        params.setdefault("_request_timeout", CONNECT_AND_READ_SECONDS)
        # The client changes the parameters, and would repeat the query in a second request.
        unchanged = copy.deepcopy(params)
        try:
            return super().request(method, path, body, **params)
        except UnauthorizedError:
            if self._renew is None:
                raise
        self._renew()
        return super().request(method, path, body, **unchanged)


class Cluster:
    """Reads and changes objects by kind, name and namespace. Raises only DeliveryErrors."""

    def __init__(self, api: ApiClient, renew: Callable[[], None] | None = None) -> None:
        with translated("read the API resources of the cluster"):
            self._api = TimedClient(api, renew, cache_file=str(Path(DISCOVERY.name, f"{uuid.uuid4()}.json")))

    def apply(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Apply the manifest by server-side apply, and return the object as the cluster stores it, with defaults.

        A metadata.resourceVersion in the manifest is a precondition: Conflict if another writer changed the object.
        dry_run: returns the same object and stores nothing.
        """
        kind, metadata = manifest["kind"], manifest["metadata"]
        resource = self._resource(kind, manifest["apiVersion"])
        with translated(f"apply {kind} {metadata['name']}", is_secret=kind == "Secret"):
            # Fields of other field managers are overwritten.
            applied = self._api.server_side_apply(
                resource,
                body=dict(manifest),
                namespace=metadata.get("namespace"),
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                dry_run="All" if dry_run else None,
            )
        return applied.to_dict()

    def read(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None if it does not exist. NotFound if the cluster does not serve the kind."""
        resource = self._resource(kind)
        try:
            with translated(f"read {kind} {name}"):
                return self._api.get(resource, name=name, namespace=namespace).to_dict()
        except NotFound:
            return None

    def list(
        self, kind: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[dict[str, Any]]:
        """labels, fields: selectors such as `app=genai-demo-backend` and `involvedObject.name=pod-1`."""
        resource = self._resource(kind)
        with translated(f"list the objects of kind {kind}"):
            found = self._api.get(resource, namespace=namespace, label_selector=labels, field_selector=fields)
        return found.to_dict()["items"]

    def read_log(self, pod: str, namespace: str, container: str, *, lines: int) -> str:
        """The last lines of a container's log. While it waits for a restart, they are those of its last run."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query: list[tuple[str, Any]] = [("container", container), ("tailLines", lines)]
        accept = {"Accept": "text/plain, application/json"}
        with translated(f"read the log of pod {pod}"):
            response = self._api.request("get", path, query_params=query, header_params=accept, serialize=False)
        return response.data.decode(errors="replace")

    def patch_merge(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        body: Mapping[str, Any],
        *,
        resource_version: str,
        subresource: str | None = None,
    ) -> dict[str, Any]:
        """Merge body into the object. Raises Conflict if the object no longer has this resource_version."""
        metadata = {**body.get("metadata", {}), "resourceVersion": resource_version}
        resource = self._resource(kind)
        with translated(f"patch {kind} {name}"):
            patched = self._api.patch(
                resource.subresources[subresource] if subresource else resource,
                body={**body, "metadata": metadata},
                name=name,
                namespace=namespace,
                content_type="application/merge-patch+json",
                field_manager=FIELD_MANAGER,
            )
        return patched.to_dict()

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Request the deletion of the object. It is not an error if it does not exist."""
        resource = self._resource(kind)
        try:
            with translated(f"delete {kind} {name}"):
                self._api.delete(resource, name=name, namespace=namespace)
        except NotFound:
            return

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the cluster serves the kind."""
        try:
            self._resource(kind, api_version)
        except NotFound:
            return False
        return True

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Whether objects of the kind are in a namespace. NotFound if the cluster does not serve the kind."""
        return bool(self._resource(kind, api_version).namespaced)

    def _resource(self, kind: str, api_version: str | None = None) -> Any:
        with translated(f"find the kind {kind} in the cluster"):
            return self._api.resources.get(api_version=api_version or API_VERSIONS[kind], kind=kind)


def connect_cluster(environment: Environment, cluster_name: str) -> Cluster:
    """The cluster of `[application] kubeconfig` if it is set, otherwise the EKS cluster with this name."""
    kubeconfig = environment.application.kubeconfig
    if kubeconfig is not None:
        return Cluster(_from_kubeconfig(kubeconfig))
    region = environment.aws.region
    token = BearerToken(cluster_name, region)
    return Cluster(_from_eks(describe_endpoint(cluster_name, region), token), token.discard)


def _from_eks(endpoint: Endpoint, token: BearerToken) -> ApiClient:

    def authorize(refreshed: Configuration) -> None:
        refreshed.api_key["authorization"] = f"Bearer {token.current()}"

    # The type of the hook in the generated class is None.
    configuration: Any = Configuration(host=endpoint.url, ca_cert_data=endpoint.authority)
    authorize(configuration)
    configuration.refresh_api_key_hook = authorize
    return ApiClient(configuration)


def _from_kubeconfig(path: str) -> ApiClient:
    try:
        return new_client_from_config(config_file=path, persist_config=False)
    except (ConfigException, OSError) as error:
        raise SettingsError(f"[application] kubeconfig: {path} cannot be used: {error}") from error


@contextmanager
def translated(what: str, *, is_secret: bool = False) -> Iterator[None]:
    """Translate the client's exceptions to a DeliveryError that says what failed.

    what: the end of a sentence that begins with "Could not". is_secret: leave out the message of the cluster, because
    it can contain a value.
    """
    try:
        yield
    except ApiException as error:
        raise translate_response(what, error.status or 0, "" if is_secret else _message(error)) from error
    except ResourceNotFoundError as error:
        raise NotFound(f"Could not {what}: the add-on that defines it is missing. Install the add-on.") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(f"Could not {what}: the cluster did not answer ({type(error).__name__}).") from error


def translate_response(what: str, status: int, message: str) -> DeliveryError:
    """The DeliveryError for an error response of the API server."""
    sentence = f"Could not {what}: HTTP {status} {message}".rstrip()
    # The API server answers 500 to an object that does not match the schema of its kind. A retry does not help.
    is_permanent = message.startswith("failed to create typed patch object")
    if is_transient(status) and not is_permanent:
        return Unavailable(sentence)
    kinds = {401: NotPermitted, 403: NotPermitted, 404: NotFound, 409: Conflict}
    return kinds.get(status, Rejected)(sentence)


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
