"""The background analysis of a canary. The tests write the results that the analysis controller would write."""

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.dynamic import DynamicClient

from sandbox.testing import eventually
from sandbox.tests.kubernetes.canary import Canary, condition
from sandbox.tests.kubernetes.manifests import rollout

Image = Callable[..., str]
TEMPLATE = {
    "metadata": {"name": "success-rate"},
    "spec": {
        "args": [{"name": "service-name"}],
        "metrics": [{"name": "rate", "failureCondition": "result < 0.95", "provider": {"web": {"url": "http://x"}}}],
    },
}
ANALYSIS = {"templates": [{"templateName": "success-rate"}], "args": [{"name": "service-name", "value": "backend"}]}


class Analysed(Canary):
    """A canary with a background analysis."""

    def __init__(self, client: DynamicClient, namespace: str) -> None:
        super().__init__(client, namespace)
        self.runs = self.resource("argoproj.io/v1alpha1", "AnalysisRun")
        self.resource("argoproj.io/v1alpha1", "AnalysisTemplate").create(TEMPLATE, namespace=namespace)

    def install(self, image: str, **analysis: Any) -> None:
        body = rollout(image)
        body["spec"]["strategy"]["canary"]["analysis"] = {**ANALYSIS, **analysis}
        self.create(body)

    def run(self) -> Any:
        """Wait for the only run and return it."""
        return eventually(lambda: next(iter(self.runs.get(namespace=self.namespace).items), None), "the run")

    def measure(self, phase: str, message: str = "") -> None:
        body = {"status": {"phase": phase, "message": message}}
        name, content_type = self.run().metadata.name, "application/merge-patch+json"
        self.runs.patch(body, name=name, namespace=self.namespace, content_type=content_type)


@pytest.fixture
def canary(client: DynamicClient, namespace: str, image: Image) -> Analysed:
    """A canary whose first deployment is complete."""
    analysed = Analysed(client, namespace)
    analysed.install(image(ANSWER="A"))
    analysed.wait(analysed.is_done, "the first deployment")
    return analysed


def test_an_update_starts_a_run_and_a_first_deployment_does_not(canary: Analysed, image: Image) -> None:
    assert canary.runs.get(namespace=canary.namespace).items == []
    canary.set_image(image(ANSWER="B"))
    status = canary.wait_for_pause(1)
    run = canary.run().to_dict()
    assert run["metadata"]["name"] == f"backend-{status['currentPodHash']}-2"
    assert run["spec"]["args"] == [{"name": "service-name", "value": "backend"}]
    assert status["canary"]["currentBackgroundAnalysisRunStatus"]["status"] == "Running"


def test_a_failed_run_aborts_the_update_with_its_message(canary: Analysed, image: Image) -> None:
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.measure("Failed", 'Metric "rate" assessed Failed due to failed (3) > failureLimit (2)')
    status = canary.wait(lambda status: status.get("abortedAt"), "the abort")
    assert status["message"].startswith(
        "RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: Metric"
    )
    canary.wait(lambda status: status["canary"]["weights"]["canary"]["weight"] == 0, "weight 0")


def test_an_inconclusive_run_adds_a_pause(canary: Analysed, image: Image) -> None:
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.measure("Inconclusive")
    status = canary.wait(lambda status: len(status.get("pauseConditions") or []) == 2, "the second pause")
    assert [pause["reason"] for pause in status["pauseConditions"]] == ["CanaryPauseStep", "InconclusiveAnalysisRun"]


def test_a_run_without_measurements_ends_with_the_promotion(canary: Analysed, image: Image) -> None:
    canary.set_image(image(ANSWER="B"))
    for step in (1, 3, 5, 7):
        canary.wait_for_pause(step)
        assert canary.run().status.phase == "Running"
        canary.clear_pause()
    canary.wait(canary.is_done, "the promotion")
    assert canary.run().status.phase == "Successful"


def test_an_argument_without_a_value_is_an_invalid_spec(client: DynamicClient, namespace: str, image: Image) -> None:
    canary = Analysed(client, namespace)
    canary.install(image(ANSWER="A"), args=[])
    status = canary.wait(lambda status: condition(status, "InvalidSpec"), "the refusal")
    assert "args.service-name was not resolved" in status["message"]
