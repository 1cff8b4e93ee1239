"""A cluster without its Rollouts controller, and without a kind that an add-on defines."""

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
    """Scales the Rollouts controller, and scales it to 1 after the test."""
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")

    def scale(replicas: int) -> None:
        deployments.patch({"spec": {"replicas": replicas}}, content_type="application/merge-patch+json", **CONTROLLER)

    yield scale
    scale(1)


def test_a_rollout_does_not_progress_while_its_controller_is_scaled_to_zero(
    client: DynamicClient, namespace: str, controller, image: Image
) -> None:
    canary = Canary(client, namespace)
    canary.deploy(image(ANSWER="A"))
    controller(0)
    canary.set_image(image(ANSWER="B"))
    deployments = client.resources.get(api_version="apps/v1", kind="Deployment")
    eventually(lambda: deployments.get(**CONTROLLER).status.availableReplicas == 0, "the end of the controller")
    found = canary.get()
    assert found["status"]["observedGeneration"] != str(found["metadata"]["generation"])
    controller(1)
    canary.wait(is_paused, "the canary")


def test_deleting_a_definition_deletes_its_objects_and_its_kind_is_not_served(
    client: DynamicClient, namespace: str, wait_for_deletion
) -> None:
    """The kind is one that no other test uses, because all tests share the cluster."""
    definitions = client.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    experiments = client.resources.get(api_version="argoproj.io/v1alpha1", kind="Experiment")
    experiments.create({"metadata": {"name": "one"}, "spec": {}}, namespace=namespace)
    definition = definitions.get(name=DEFINITION).to_dict()
    definitions.delete(name=DEFINITION)
    wait_for_deletion(definitions, DEFINITION, None)
    with pytest.raises(ApiException) as refused:
        experiments.get(namespace=namespace)
    assert refused.value.status == 404
    definitions.create({key: definition[key] for key in ("spec",)} | {"metadata": {"name": DEFINITION}})
    eventually(lambda: definitions.get(name=DEFINITION).status, "the definition")
    assert experiments.get(namespace=namespace).items == []


def test_rollout_status_waits_until_a_deployment_is_complete(kubectl) -> None:
    output = kubectl("rollout", "status", "deployment/argo-rollouts", "-n", "argo-rollouts", "--timeout=150s")
    assert 'deployment "argo-rollouts" successfully rolled out' in output
