"""The scale subresource: an object's desired and actual number of pods, as an autoscaling/v1 Scale."""

from sandbox.kubernetes.api.objects.errors import bad_request
from sandbox.kubernetes.api.objects.kinds import Object, copy_of, value_at


def as_scale(obj: Object) -> Object:
    metadata = obj["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    wanted = {"replicas": replicas} if (replicas := value_at(obj, "spec.replicas")) else {}
    status = {"replicas": value_at(obj, "status.replicas") or 0}
    status |= {"selector": selector} if (selector := _selector(obj)) else {}
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": kept, "spec": wanted, "status": status}


def _selector(obj: Object) -> str:
    """The selector of the pods: from the status for a custom kind, from the spec for a built-in kind."""
    if selector := value_at(obj, "status.selector"):
        return selector
    labels = value_at(obj, "spec.selector.matchLabels") or {} if obj["apiVersion"] == "apps/v1" else {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def with_scale(obj: Object, scale: Object) -> Object:
    """The object with the replicas of the Scale. A resourceVersion in the Scale stays a precondition."""
    replicas = value_at(scale, "spec.replicas") or 0
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        raise bad_request(f"Scale is invalid: spec.replicas: Invalid value: {replicas!r}")
    scaled = copy_of(obj)
    scaled["spec"]["replicas"] = replicas
    scaled["metadata"]["resourceVersion"] = value_at(scale, "metadata.resourceVersion")
    return scaled
