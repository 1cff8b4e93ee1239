"""The Deployments of the add-ons that the sandbox provides. An add-on that is scaled to zero does nothing."""

from collections.abc import Iterable

from sandbox.kubernetes.api.objects.kinds import DEPLOYMENTS, Object, name_of, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry, Write
from sandbox.kubernetes.api.storage.store import Change
from sandbox.kubernetes.controllers.loop import Controller, Name

ROLLOUTS_DEPLOYMENT = ("argo-rollouts", "argo-rollouts")
# Namespace and name -> image. Nothing runs for the last one: the application sends its metrics itself.
DEPLOYMENTS_OF_ADDONS = {
    ROLLOUTS_DEPLOYMENT: "quay.io/argoproj/argo-rollouts:v1.9.1",
    ("kube-system", "aws-load-balancer-controller"): "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0",
    ("amazon-cloudwatch", "amazon-cloudwatch-observability-controller-manager"): (
        "public.ecr.aws/cloudwatch-agent/cloudwatch-agent-operator:3.2.0"
    ),
}
STOPPED_RETRY_SECONDS = 0.3


def describe_addon(name: Name, image: str) -> Object:
    """The Deployment of an add-on, as in the add-on's manifests."""
    labels = {"app.kubernetes.io/name": name[1]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name[1], "image": image}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name[1], "labels": labels}, "spec": spec}


class Addons:
    """Writes the status of those Deployments, which have no pods."""

    delay = 0.03

    def __init__(self, registry: Registry, deployments: Iterable[Name]) -> None:
        self._registry = registry
        self._deployments = set(deployments)

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        name = namespace_of(change.current), name_of(change.current)
        return [name] if change.kind is DEPLOYMENTS and name in self._deployments else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        if self._registry.find(DEPLOYMENTS, namespace, name) is not None:
            write = Write("kube-controller-manager", subresource="status")
            self._registry.change(DEPLOYMENTS, namespace, name, _with_status, write)
        return None


class Stoppable:
    """Runs a controller while its Deployment has at least one replica."""

    def __init__(self, registry: Registry, deployment: Name, controller: Controller) -> None:
        self.delay = controller.delay
        self._registry = registry
        self._deployment = deployment
        self._controller = controller

    def names_to_reconcile(self, change: Change) -> Iterable[Name]:
        return self._controller.names_to_reconcile(change)

    def reconcile(self, namespace: str, name: str) -> float | None:
        deployment = self._registry.find(DEPLOYMENTS, *self._deployment)
        if deployment is None or not deployment["spec"]["replicas"]:
            return STOPPED_RETRY_SECONDS
        return self._controller.reconcile(namespace, name)


def _with_status(deployment: Object) -> Object:
    replicas = deployment["spec"]["replicas"]
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    status = {"observedGeneration": deployment["metadata"]["generation"]} | dict.fromkeys(names, replicas)
    return {**deployment, "status": status}
