"""The default values that the API server sets in the spec of a pod or of a pod template."""

from sandbox.kubernetes.api.objects.kinds import Object, copy_of
from sandbox.kubernetes.api.objects.quantities import canonical

_EVICTED_AFTER_SECONDS = 300


def with_template_defaults(template: Object) -> Object:
    """A copy of the pod template with the default values that the API server would store."""
    filled = copy_of(template)
    default_pod_spec(filled.setdefault("spec", {}))
    return filled


def default_pod_spec(spec: Object) -> None:
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
        _default_volume(volume)


def add_admission_defaults(spec: Object) -> None:
    """Set what admission adds to a pod but not to a template.

    A container that has a limit and no request for a resource gets the limit as its request.
    """
    for container in spec.get("containers") or []:
        for name, quantity in (container["resources"].get("limits") or {}).items():
            container["resources"].setdefault("requests", {}).setdefault(name, quantity)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("priority", 0)
    tolerations = spec.setdefault("tolerations", [])
    for state in ("not-ready", "unreachable"):
        taint = {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute"}
        if not any(taint["key"] == toleration.get("key") for toleration in tolerations):
            tolerations.append({**taint, "tolerationSeconds": _EVICTED_AFTER_SECONDS})


def qos_class(spec: Object) -> str:
    """The pod's QoS class, from the requests and limits of its containers."""
    declared = [container.get("resources") or {} for container in spec.get("containers") or []]
    if not any(resources.get("limits") or resources.get("requests") for resources in declared):
        return "BestEffort"
    limits = [resources.get("limits") or {} for resources in declared]
    is_guaranteed = all(
        {"cpu", "memory"} <= limit.keys() and limit == resources.get("requests")
        for limit, resources in zip(limits, declared, strict=True)
    )
    return "Guaranteed" if is_guaranteed else "Burstable"


def _default_container(container: Object) -> None:
    has_tag = ":" in container.get("image", "").rsplit("/", 1)[-1]
    is_latest = container.get("image", "").endswith(":latest") or not has_tag
    container.setdefault("imagePullPolicy", "Always" if is_latest else "IfNotPresent")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    _default_resources(container.setdefault("resources", {}))
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        _default_source(variable.get("valueFrom") or {})
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe := container.get(name):
            _default_probe(probe)
    for handler in (container.get("lifecycle") or {}).values():
        _default_handler(handler)


def _default_resources(resources: Object) -> None:
    """Store quantities in their canonical form."""
    for field in ("limits", "requests"):
        if field in resources:
            resources[field] = {name: canonical(quantity) for name, quantity in resources[field].items()}


def _default_source(source: Object) -> None:
    if (reference := source.get("fieldRef")) is not None:
        reference.setdefault("apiVersion", "v1")
    if (reference := source.get("resourceFieldRef")) is not None:
        reference.setdefault("divisor", "0")


def _default_probe(probe: Object) -> None:
    _default_handler(probe)
    for field, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1)):
        probe.setdefault(field, value)
    probe.setdefault("failureThreshold", 3)


def _default_handler(handler: Object) -> None:
    if "httpGet" in handler:
        handler["httpGet"].setdefault("scheme", "HTTP")
        handler["httpGet"].setdefault("path", "/")
    if "grpc" in handler:
        handler["grpc"].setdefault("service", "")


def _default_volume(volume: Object) -> None:
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            volume[source].setdefault("defaultMode", 0o644)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    for item in volume.get("downwardAPI", {}).get("items") or []:
        _default_source(item)
    for source in volume.get("projected", {}).get("sources") or []:
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
