"""The Deployments of the add-ons that run in this process: scaled to nothing, the add-on stands still."""

from collections.abc import Iterable

from sandbox.kubernetes.api.kinds import DEPLOYMENTS, Object, name_of, namespace_of
from sandbox.kubernetes.api.registry import Registry, Write
from sandbox.kubernetes.api.store import Change
from sandbox.kubernetes.controllers.loop import Controller, Name

ROLLOUTS_DEPLOYMENT = ("argo-rollouts", "argo-rollouts")
# Namespace and name -> image. The last one stands there alone: the application sends its metrics itself.
DEPLOYMENTS_OF_ADDONS = {
    ROLLOUTS_DEPLOYMENT: "quay.io/argoproj/argo-rollouts:v1.9.1",
    ("kube-system", "aws-load-balancer-controller"): "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0",
    ("amazon-cloudwatch", "amazon-cloudwatch-observability-controller-manager"): (
        "public.ecr.aws/cloudwatch-agent/cloudwatch-agent-operator:3.2.0"
    ),
}
STANDING_STILL_SECONDS = 0.3


def describe_addon(name: Name, image: str) -> Object:
    """The Deployment as the add-on's own manifests have it."""
    labels = {"app.kubernetes.io/name": name[1]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name[1], "image": image}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name[1], "labels": labels}, "spec": spec}


class Addons:
    """Keeps the status of those Deployments, which have no pods of their own."""

    delay = 0.03

    def __init__(self, registry: Registry, deployments: Iterable[Name]) -> None:
        self._registry = registry
        self._deployments = set(deployments)

    def concerned(self, change: Change) -> Iterable[Name]:
        name = namespace_of(change.current), name_of(change.current)
        return [name] if change.kind is DEPLOYMENTS and name in self._deployments else []

    def reconcile(self, namespace: str, name: str) -> float | None:
        if self._registry.find(DEPLOYMENTS, namespace, name) is not None:
            write = Write("kube-controller-manager", subresource="status")
            self._registry.change(DEPLOYMENTS, namespace, name, _with_status, write)
        return None


class Stoppable:
    """A controller that works for as long as its Deployment wants a pod of it."""

    def __init__(self, registry: Registry, deployment: Name, controller: Controller) -> None:
        self.delay = controller.delay
        self._registry = registry
        self._deployment = deployment
        self._controller = controller

    def concerned(self, change: Change) -> Iterable[Name]:
        return self._controller.concerned(change)

    def reconcile(self, namespace: str, name: str) -> float | None:
        deployment = self._registry.find(DEPLOYMENTS, *self._deployment)
        if deployment is None or not deployment["spec"]["replicas"]:
            return STANDING_STILL_SECONDS
        return self._controller.reconcile(namespace, name)


def _with_status(deployment: Object) -> Object:
    replicas = deployment["spec"]["replicas"]
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    status = {"observedGeneration": deployment["metadata"]["generation"]} | dict.fromkeys(names, replicas)
    return {**deployment, "status": status}
