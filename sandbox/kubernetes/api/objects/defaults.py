"""The default values that the API server sets in an object."""

import base64
import ipaddress
import itertools
from collections.abc import Callable

from sandbox.kubernetes.api.objects.kinds import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    INGRESSES,
    NAMESPACES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    RESOURCE_QUOTAS,
    ROLLOUTS,
    SECRETS,
    SERVICES,
    Kind,
    Object,
    name_of,
    value_at,
)
from sandbox.kubernetes.api.objects.pod_defaults import add_admission_defaults, default_pod_spec, qos_class

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_CLUSTER_ADDRESSES = (str(ipaddress.ip_address("10.100.0.10") + offset) for offset in itertools.count())


def add_defaults(kind: Kind, obj: Object) -> None:
    """Set the default values of the kind, in place."""
    if default := _DEFAULTS.get(kind):
        default(obj)


def late_fields(kind: Kind, body: Object) -> set[tuple[str, ...]]:
    """Fields that the server sets after it records field ownership, so that no manager owns them.

    Fields that the body contains are not included.
    """
    late = _LATE.get(kind, ())
    return {("f:spec", f"f:{field}") for field in late if field not in (body.get("spec") or {})}


def _default_pod(pod: Object) -> None:
    spec = pod.setdefault("spec", {})
    spec.setdefault("serviceAccountName", "default")
    default_pod_spec(spec)
    add_admission_defaults(spec)
    status = pod.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", qos_class(spec))


def _default_service(service: Object) -> None:
    spec = service.setdefault("spec", {})
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
    spec = replica_set.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))
    replica_set.setdefault("status", {}).setdefault("replicas", 0)


def _default_deployment(deployment: Object) -> None:
    spec = deployment.setdefault("spec", {})
    for field, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        spec.setdefault(field, value)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    default_pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))
    deployment.setdefault("status", {})


def _default_ingress(ingress: Object) -> None:
    ingress.setdefault("status", {}).setdefault("loadBalancer", {})


def _default_budget(budget: Object) -> None:
    status = budget.setdefault("status", {})
    for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        status.setdefault(field, 0)


def _default_quota(quota: Object) -> None:
    quota.setdefault("status", {})


def _default_rollout(rollout: Object) -> None:
    """The schema of the CustomResourceDefinition has only these default values."""
    for container in value_at(rollout, "spec.template.spec.containers") or []:
        for port in container.get("ports") or []:
            port.setdefault("protocol", "TCP")


_DEFAULTS: dict[Kind, Callable[[Object], None]] = {
    PODS: _default_pod,
    SERVICES: _default_service,
    SECRETS: _default_secret,
    NAMESPACES: _default_namespace,
    CUSTOM_RESOURCE_DEFINITIONS: _default_definition,
    REPLICA_SETS: _default_replica_set,
    DEPLOYMENTS: _default_deployment,
    INGRESSES: _default_ingress,
    POD_DISRUPTION_BUDGETS: _default_budget,
    RESOURCE_QUOTAS: _default_quota,
    ROLLOUTS: _default_rollout,
}
_LATE = {
    SERVICES: ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
    PODS: ("tolerations", "priority", "preemptionPolicy", "serviceAccount", "serviceAccountName"),
    NAMESPACES: ("finalizers",),
}
