"""The scale subresource: how many pods an object wants and has, as autoscaling/v1 Scale."""

from sandbox.kubernetes.api.errors import bad_request
from sandbox.kubernetes.api.kinds import Object, copy_of, value_at


def as_scale(obj: Object) -> Object:
    metadata = obj["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    labels = value_at(obj, "spec.selector.matchLabels") or {}
    replicas = value_at(obj, "spec.replicas")
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": kept,
        "spec": {"replicas": 1 if replicas is None else replicas},
        "status": {
            "replicas": value_at(obj, "status.replicas") or 0,
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }


def with_scale(obj: Object, scale: Object) -> Object:
    """The object with the replicas that the Scale wants. A resourceVersion in the Scale stays a precondition."""
    replicas = value_at(scale, "spec.replicas")
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        raise bad_request(f"Scale is invalid: spec.replicas: Invalid value: {replicas!r}")
    scaled = copy_of(obj)
    scaled["spec"]["replicas"] = replicas
    scaled["metadata"]["resourceVersion"] = value_at(scale, "metadata.resourceVersion")
    return scaled
