"""What a cluster does without its Rollouts controller, and without a kind that an add-on brings."""

from collections.abc import Callable, Iterator

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.testing import eventually
from sandbox.tests.kubernetes.canary import Canary, is_paused

CONTROLLER = {"name": "argo-rollouts", "namespace": "argo-rollouts"}
DEFINITION = "experiments.argoproj.io"
Image = Callable[..., str]


@pytest.fixture
def controller(client: DynamicClient) -> Iterator[Callable[[int], None]]:
    """Scales the Rollouts controller; it runs again after the test."""
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")

    def scale(replicas: int) -> None:
        deployments.patch({"spec": {"replicas": replicas}}, content_type="application/merge-patch+json", **CONTROLLER)

    yield scale
    scale(1)


def test_a_rollout_stands_still_while_its_controller_is_scaled_to_nothing(
    client: DynamicClient, namespace: str, controller, image: Image
) -> None:
    canary = Canary(client, namespace)
    canary.deploy(image(ANSWER="A"))
    controller(0)
    canary.set_image(image(ANSWER="B"))
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")
    eventually(lambda: deployments.get(**CONTROLLER).status.availableReplicas == 0, "the controller's end")
    found = canary.get()
    assert found["status"]["observedGeneration"] != str(found["metadata"]["generation"])
    controller(1)
    canary.wait(is_paused, "the canary")


def test_a_kind_whose_definition_is_gone_is_not_served_and_its_objects_are_gone(
    client: DynamicClient, namespace: str, gone
) -> None:
    """Of a kind that nothing here uses, since others share the cluster."""
    definitions = client.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    experiments = client.resources.get(api_version="argoproj.io/v1alpha1", kind="Experiment")
    experiments.create({"metadata": {"name": "one"}, "spec": {}}, namespace=namespace)
    definition = definitions.get(name=DEFINITION).to_dict()
    definitions.delete(name=DEFINITION)
    gone(definitions, DEFINITION, None)
    with pytest.raises(ApiException) as refused:
        experiments.get(namespace=namespace)
    assert refused.value.status == 404
    definitions.create({key: definition[key] for key in ("spec",)} | {"metadata": {"name": DEFINITION}})
    eventually(lambda: definitions.get(name=DEFINITION).status, "the definition")
    assert experiments.get(namespace=namespace).items == []


def test_rollout_status_follows_a_deployment_to_its_end(kubectl) -> None:
    said = kubectl("rollout", "status", "deployment/argo-rollouts", "-n", "argo-rollouts", "--timeout=150s")
    assert 'deployment "argo-rollouts" successfully rolled out' in said
