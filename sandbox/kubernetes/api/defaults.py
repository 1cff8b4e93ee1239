"""What the API server adds to an object that leaves it open; custom kinds get nothing."""

import base64
import ipaddress
import itertools
from collections.abc import Callable

from sandbox.kubernetes.api.kinds import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICES,
    Kind,
    Object,
    copy_of,
    name_of,
)

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_CLUSTER_ADDRESSES = (str(ipaddress.ip_address("10.100.0.10") + offset) for offset in itertools.count())


def add_defaults(kind: Kind, obj: Object) -> None:
    """Fill in, in place, what the kind has defaults for."""
    if default := _DEFAULTS.get(kind):
        default(obj)


def with_template_defaults(template: Object) -> Object:
    """A copy of the pod template as the API server would store it."""
    filled = copy_of(template)
    _default_pod_spec(filled.setdefault("spec", {}))
    return filled


def _default_pod_spec(spec: Object) -> None:
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        _default_container(container)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("securityContext", {})
    if account := spec.get("serviceAccountName"):
        spec.setdefault("serviceAccount", account)
    for volume in spec.get("volumes") or []:
        for source in ("configMap", "secret"):
            if source in volume:
                volume[source].setdefault("defaultMode", 0o644)


def _default_container(container: Object) -> None:
    has_tag = ":" in container.get("image", "").rsplit("/", 1)[-1]
    is_latest = container.get("image", "").endswith(":latest") or not has_tag
    container.setdefault("imagePullPolicy", "Always" if is_latest else "IfNotPresent")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("resources", {})
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            reference.setdefault("apiVersion", "v1")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe := container.get(name):
            _default_probe(probe)


def _default_probe(probe: Object) -> None:
    if "httpGet" in probe:
        probe["httpGet"].setdefault("scheme", "HTTP")
        probe["httpGet"].setdefault("path", "/")
    for field, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1)):
        probe.setdefault(field, value)
    probe.setdefault("failureThreshold", 3)


def _default_pod(pod: Object) -> None:
    pod["spec"].setdefault("serviceAccountName", "default")
    _default_pod_spec(pod["spec"])
    pod.setdefault("status", {}).setdefault("phase", "Pending")


def _default_service(service: Object) -> None:
    spec = service["spec"]
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec.get("clusterIP") is None:
        spec["clusterIP"] = next(_CLUSTER_ADDRESSES)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])
    service.setdefault("status", {}).setdefault("loadBalancer", {})


def _default_secret(secret: Object) -> None:
    secret.setdefault("type", "Opaque")
    plain = secret.pop("stringData", None) or {}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    if encoded or "data" in secret:
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _default_namespace(namespace: Object) -> None:
    namespace["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name_of(namespace)
    namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    namespace.setdefault("status", {}).setdefault("phase", "Active")


def _default_definition(definition: Object) -> None:
    if not definition["metadata"].get("deletionTimestamp"):
        finalizers = definition["metadata"].setdefault("finalizers", [])
        finalizers += [] if CLEANUP in finalizers else [CLEANUP]


def _default_replica_set(replica_set: Object) -> None:
    spec = replica_set["spec"]
    spec.setdefault("replicas", 1)
    _default_pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))
    replica_set.setdefault("status", {}).setdefault("replicas", 0)


def _default_deployment(deployment: Object) -> None:
    spec = deployment["spec"]
    for field, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        spec.setdefault(field, value)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    _default_pod_spec(spec["template"].setdefault("spec", {}))


_DEFAULTS: dict[Kind, Callable[[Object], None]] = {
    PODS: _default_pod,
    SERVICES: _default_service,
    SECRETS: _default_secret,
    NAMESPACES: _default_namespace,
    CUSTOM_RESOURCE_DEFINITIONS: _default_definition,
    REPLICA_SETS: _default_replica_set,
    DEPLOYMENTS: _default_deployment,
}
