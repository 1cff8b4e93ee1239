"""The initial objects of a cluster: namespaces, the add-ons' Deployments, custom kinds and the IngressClass `alb`."""

from sandbox.kubernetes.api.objects.kinds import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    INGRESS_CLASSES,
    KINDS,
    NAMESPACES,
    Kind,
    Object,
)
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.controllers.addons import DEPLOYMENTS_OF_ADDONS, describe_addon

WRITE = Write("sandbox")


def create_initial_objects(registry: Registry) -> None:
    for name in ("default", *sorted({namespace for namespace, _ in DEPLOYMENTS_OF_ADDONS})):
        registry.create(NAMESPACES, "", {"metadata": {"name": name}}, WRITE)
    for deployment, image in DEPLOYMENTS_OF_ADDONS.items():
        registry.create(DEPLOYMENTS, deployment[0], describe_addon(deployment, image), WRITE)
    for kind in filter(lambda kind: kind.is_custom, KINDS):
        _create_definition(registry, kind)
    ingress_class: Object = {"metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}}
    registry.create(INGRESS_CLASSES, "", ingress_class, WRITE)


def _create_definition(registry: Registry, kind: Kind) -> None:
    registry.create(CUSTOM_RESOURCE_DEFINITIONS, "", _definition(kind), WRITE)


def _definition(kind: Kind) -> Object:
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        "subresources": {"status": {}} if kind.has_status else {},
    }
    names = {"plural": kind.plural, "singular": kind.kind.lower(), "kind": kind.kind}
    names |= {"listKind": f"{kind.kind}List", "shortNames": list(kind.short_names)}
    spec = {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [version]}
    return {"metadata": {"name": kind.resource}, "spec": spec}
