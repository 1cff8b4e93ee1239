"""Creates, reads and changes one Rollout for a test."""

import json
from collections.abc import Callable
from typing import Any

from kubernetes.dynamic import DynamicClient

from sandbox.testing import eventually
from sandbox.tests.kubernetes.manifests import Manifest, ingress, rollout, service

ACTION = "alb.ingress.kubernetes.io/actions.backend-stable"
MERGE = "application/merge-patch+json"


class Canary:
    """The Rollout `backend` of one namespace, with its Services and its Ingress."""

    def __init__(self, client: DynamicClient, namespace: str) -> None:
        self.namespace = namespace
        self._client = client
        self.rollouts = self.resource("argoproj.io/v1alpha1", "Rollout")
        self.services = self.resource("v1", "Service")
        self.ingresses = self.resource("networking.k8s.io/v1", "Ingress")
        self.replica_sets = self.resource("apps/v1", "ReplicaSet")

    def resource(self, version: str, kind: str) -> Any:
        return self._client.resources.get(api_version=version, kind=kind)

    def create(self, body: Manifest, **annotations: str) -> None:
        for name in ("backend-stable", "backend-canary"):
            self.services.create(service(name), namespace=self.namespace)
        self.ingresses.create(ingress(**annotations), namespace=self.namespace)
        self.rollouts.create(body, namespace=self.namespace)

    def deploy(self, image: str, **fields: Any) -> None:
        """Create all objects and wait until the first deployment is complete."""
        self.create(rollout(image, **fields))
        self.wait(self.is_done, "the first deployment")

    def patch(self, **body: Any) -> Any:
        return self.rollouts.patch(body, name="backend", namespace=self.namespace, content_type=MERGE)

    def patch_status(self, **status: Any) -> Any:
        body = {"status": status}
        return self.rollouts.status.patch(body, name="backend", namespace=self.namespace, content_type=MERGE)

    def set_image(self, image: str) -> None:
        template = rollout(image)["spec"]["template"]
        self.patch(spec={"template": template})

    def clear_pause(self) -> None:
        self.patch_status(pauseConditions=None)

    def get(self) -> dict[str, Any]:
        return self.rollouts.get(name="backend", namespace=self.namespace).to_dict()

    def status(self) -> dict[str, Any]:
        return self.get().get("status", {})

    def wait(self, meets: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """Wait until the status meets the condition at the newest generation, and return it. what: for the error."""

        def read() -> dict[str, Any] | None:
            found = self.get()
            status = found.get("status", {})
            is_current = status.get("observedGeneration") == str(found["metadata"]["generation"])
            return status if is_current and meets(status) else None

        try:
            found = eventually(read, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; status: {json.dumps(self.status())}") from None
        assert found is not None
        return found

    def wait_for_pause(self, step: int) -> dict[str, Any]:
        return self.wait(lambda status: status.get("currentStepIndex") == step and is_paused(status), f"pause {step}")

    def is_done(self, status: dict[str, Any]) -> bool:
        weights = status.get("canary", {}).get("weights") or {}
        return (
            status.get("phase") == "Healthy"
            and condition(status, "Healthy") == ("True", "RolloutHealthy")
            and weights.get("canary", {}).get("weight") == 0
            and weights["stable"]["podTemplateHash"] == status["currentPodHash"]
        )

    def weights(self) -> dict[str, int]:
        """The weight of each Service in the action of the Ingress."""
        found = self.ingresses.get(name="site", namespace=self.namespace).to_dict()
        text = found["metadata"].get("annotations", {}).get(ACTION)
        groups = json.loads(text)["ForwardConfig"]["TargetGroups"] if text else []
        return {group["ServiceName"]: group["Weight"] for group in groups}

    def selected(self, name: str) -> str:
        """The pod template hash in the selector of a Service."""
        found = self.services.get(name=name, namespace=self.namespace).to_dict()
        return found["spec"]["selector"].get("rollouts-pod-template-hash", "")

    def replicas(self) -> dict[str, int]:
        """The replicas of each ReplicaSet, by its pod template hash."""
        found = self.replica_sets.get(namespace=self.namespace).to_dict()["items"]
        return {item["metadata"]["labels"]["rollouts-pod-template-hash"]: item["spec"]["replicas"] for item in found}

    def revisions(self) -> dict[str, str]:
        """The revision of each ReplicaSet, by its pod template hash."""
        found = self.replica_sets.get(namespace=self.namespace).to_dict()["items"]
        return {
            item["metadata"]["labels"]["rollouts-pod-template-hash"]: item["metadata"]["annotations"][
                "rollout.argoproj.io/revision"
            ]
            for item in found
        }


def is_paused(status: dict[str, Any]) -> bool:
    return status.get("phase") == "Paused" and bool(status.get("pauseConditions"))


def condition(status: dict[str, Any], name: str) -> tuple[str, str] | None:
    """Status and reason of a condition."""
    found = next((item for item in status.get("conditions", []) if item["type"] == name), None)
    return (found["status"], found["reason"]) if found else None
