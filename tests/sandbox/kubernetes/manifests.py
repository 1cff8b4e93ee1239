"""Trial manifests: a backend as ReplicaSet and as Rollout, its Services and the Ingress in front."""

from typing import Any

Manifest = dict[str, Any]

PROBES: Manifest = {
    "startupProbe": {"httpGet": {"path": "/started", "port": "http"}, "periodSeconds": 2, "failureThreshold": 30},
    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 2},
    "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}, "periodSeconds": 2},
}


def container(image: str, **more: Any) -> Manifest:
    return {"name": "backend", "image": image, "ports": [{"containerPort": 8080, "name": "http"}], **PROBES, **more}


def template(image: str, app: str = "backend", **more: Any) -> Manifest:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container(image)], **more}}


def replica_set(image: str, replicas: int = 1, **container_fields: Any) -> Manifest:
    pod = template(image)
    pod["spec"]["containers"][0] |= container_fields
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "backend"}}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "backend"}, "spec": spec}
