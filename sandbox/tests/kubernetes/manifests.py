"""Manifests for tests: a backend as ReplicaSet and as Rollout, its Services and its Ingress."""

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


def service(name: str) -> Manifest:
    spec = {"selector": {"app": "backend"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def ingress(**annotations: str) -> Manifest:
    """Routes the api host, and /api of the site's host, to the backend's weighted action."""
    backend = {"service": {"name": "backend-stable", "port": {"name": "use-annotation"}}}
    metadata = {"name": "site", "annotations": annotations}
    rules = [
        {"host": "api.genai-demo.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}},
        {"host": "genai-demo.com", "http": {"paths": [{"path": "/api", "pathType": "Prefix", "backend": backend}]}},
    ]
    spec = {"ingressClassName": "alb", "rules": rules}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def rollout(image: str, replicas: int = 2, weights: tuple[int, ...] = (20, 40, 60, 80), **spec: Any) -> Manifest:
    """A canary behind the load balancer, with a pause without duration after each weight."""
    steps = [step for weight in weights for step in ({"setWeight": weight}, {"pause": {}})]
    canary = {
        "stableService": "backend-stable",
        "canaryService": "backend-canary",
        "trafficRouting": {"alb": {"ingress": "site", "servicePort": 80}},
        "steps": steps,
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "backend"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "backend"}},
            "template": template(image),
            "strategy": {"canary": canary},
            **spec,
        },
    }
