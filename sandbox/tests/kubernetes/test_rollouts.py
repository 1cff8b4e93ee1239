"""A Rollout from its first deployment to a promotion, an abort and a rollback."""

from collections.abc import Callable

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.kubernetes.clock import timestamp
from sandbox.testing import eventually
from sandbox.tests.kubernetes.canary import Canary, condition
from sandbox.tests.kubernetes.manifests import rollout

Image = Callable[..., str]


@pytest.fixture
def canary(client: DynamicClient, namespace: str) -> Canary:
    return Canary(client, namespace)


def test_a_strategic_merge_patch_of_a_custom_kind_is_refused(canary: Canary, image: Image) -> None:
    canary.create(rollout(image(ANSWER="A")))
    with pytest.raises(ApiException) as refused:
        canary.rollouts.patch({"spec": {"replicas": 1}}, name="backend", namespace=canary.namespace)
    assert refused.value.status == 415


def test_annotations_do_not_increment_the_generation_of_a_rollout(canary: Canary, image: Image) -> None:
    canary.create(rollout(image(ANSWER="A")))
    assert canary.patch(metadata={"annotations": {"a": "b"}}).metadata.generation == 1
    assert canary.patch(spec={"replicas": 1}).metadata.generation == 2
    assert canary.patch(status={"phase": "Healthy"}).metadata.generation == 2


def test_the_first_deployment_skips_the_steps_and_sets_weight_100_for_stable(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    status = canary.status()
    assert status["currentStepIndex"] == 8
    assert status["stableRS"] == status["currentPodHash"]
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}
    assert canary.selected("backend-stable") == status["stableRS"]
    assert canary.revisions() == {status["stableRS"]: "1"}


def test_a_canary_gets_its_weights_step_by_step_until_its_promotion(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    stable = canary.status()["stableRS"]
    canary.set_image(image(ANSWER="B"))
    for step, weight in enumerate((20, 40, 60, 80)):
        status = canary.wait_for_pause(2 * step + 1)
        assert status["controllerPause"]
        assert status["pauseConditions"][0]["reason"] == "CanaryPauseStep"
        assert status["canary"]["weights"]["canary"]["weight"] == weight
        assert canary.weights() == {"backend-canary": weight, "backend-stable": 100 - weight}
        assert canary.selected("backend-canary") == status["currentPodHash"] != stable
        canary.clear_pause()
    status = canary.wait(canary.is_done, "the promotion")
    assert canary.selected("backend-stable") == status["currentPodHash"]
    assert canary.replicas() == {stable: 0, status["currentPodHash"]: 2}


def test_the_phase_is_still_paused_immediately_after_a_pause_is_cleared(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    status = canary.rollouts.status.patch(
        {"status": {"pauseConditions": None}},
        name="backend",
        namespace=canary.namespace,
        content_type="application/merge-patch+json",
    ).to_dict()["status"]
    assert (status["phase"], status["controllerPause"]) == ("Paused", True)
    assert "pauseConditions" not in status
    status = canary.wait_for_pause(3)
    assert condition(status, "Completed") == ("False", "RolloutCompleted")


def test_the_conditions_show_a_pause_one_reconcile_later(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.wait(lambda status: condition(status, "Paused") == ("True", "RolloutPaused"), "the condition")
    assert condition(canary.status(), "Progressing") == ("Unknown", "RolloutPaused")


def test_the_weight_stays_0_while_the_canary_is_not_available(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    canary.set_image(image("raise SystemExit(1)"))
    status = canary.wait(lambda status: status.get("updatedReplicas") == 1, "the canary's pod")
    assert status["currentStepIndex"] == 0
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}


def test_an_abort_sets_weight_0_and_the_rollout_stays_degraded(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    stable = canary.status()["stableRS"]
    canary.set_image(image(ANSWER="B"))
    bad = canary.wait_for_pause(1)["currentPodHash"]
    canary.patch_status(abort=True)
    status = canary.wait(lambda status: status.get("abortedAt"), "the abort")
    assert (status["phase"], status["message"]) == (
        "Degraded",
        "RolloutAborted: Rollout aborted update to revision 2",
    )
    assert status["canary"]["weights"]["canary"]["weight"] == 0
    assert canary.weights() == {"backend-canary": 0, "backend-stable": 100}
    assert "pauseConditions" not in status
    eventually(lambda: canary.replicas() == {stable: 2, bad: 0}, "the end of the canary's pods")
    assert canary.status()["currentStepIndex"] == 0


def test_a_return_to_the_stable_template_is_healthy_without_steps(canary: Canary, image: Image) -> None:
    good = image(ANSWER="A")
    canary.deploy(good)
    stable = canary.status()["stableRS"]
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.patch_status(abort=True)
    canary.wait(lambda status: status.get("abortedAt"), "the abort")
    canary.set_image(good)
    status = canary.wait(canary.is_done, "health")
    assert (status["stableRS"], status["currentPodHash"], status["currentStepIndex"]) == (stable, stable, 8)
    assert "abort" not in status
    assert canary.revisions()[stable] == "3"


def test_a_retry_starts_again_at_the_first_step(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.clear_pause()
    canary.wait_for_pause(3)
    canary.patch_status(abort=True)
    canary.wait(lambda status: status.get("abortedAt"), "the abort")
    canary.patch_status(abort=False)
    status = canary.wait_for_pause(1)
    assert "abortedAt" not in status


def test_another_image_during_an_update_replaces_the_canary_immediately(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    canary.set_image(image(ANSWER="B"))
    second = canary.wait_for_pause(1)["currentPodHash"]
    canary.set_image(image(ANSWER="C"))
    canary.wait(lambda status: status["currentPodHash"] != second, "the third template")
    status = canary.wait_for_pause(1)
    assert status["canary"]["weights"]["canary"]["podTemplateHash"] == status["currentPodHash"]
    eventually(lambda: canary.replicas()[second] == 0, "the end of the second template's pods")


def test_promote_full_promotes_the_canary_without_the_remaining_steps(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    stable = canary.status()["stableRS"]
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.patch_status(promoteFull=True)
    status = canary.wait(canary.is_done, "the promotion")
    assert status["stableRS"] != stable
    assert "promoteFull" not in status


def test_a_pause_ends_after_its_duration(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    steps = [{"setWeight": 50}, {"pause": {"duration": "20s"}}]
    canary.patch(spec={"strategy": {"canary": {"steps": steps}}})
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.wait(canary.is_done, "the promotion")


def test_a_rollback_within_the_window_skips_the_steps(canary: Canary, image: Image) -> None:
    first = image(ANSWER="A")
    canary.deploy(first, weights=(50,), rollbackWindow={"revisions": 3})
    old = canary.status()["stableRS"]
    created = canary.replica_sets.get(namespace=canary.namespace).items[0].metadata.creationTimestamp
    eventually(lambda: timestamp() > created, "another second")
    canary.set_image(image(ANSWER="B"))
    canary.wait_for_pause(1)
    canary.clear_pause()
    canary.wait(canary.is_done, "the promotion")
    canary.set_image(first)
    status = canary.wait(canary.is_done, "the rollback")
    assert status["stableRS"] == old


def test_the_rollout_is_degraded_but_not_aborted_after_the_progress_deadline(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"), progressDeadlineSeconds=40)
    canary.set_image(image("raise SystemExit(1)"))
    status = canary.wait(lambda status: status.get("phase") == "Degraded", "the deadline")
    assert condition(status, "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert status["message"].startswith("ProgressDeadlineExceeded: ReplicaSet")
    assert "abort" not in status


def test_progress_deadline_abort_aborts_after_the_progress_deadline(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"), progressDeadlineSeconds=40, progressDeadlineAbort=True)
    canary.set_image(image("raise SystemExit(1)"))
    status = canary.wait(lambda status: status.get("abortedAt"), "the abort")
    assert status["message"].endswith("has timed out progressing.")


def test_a_manual_pause_stops_the_steps(canary: Canary, image: Image) -> None:
    canary.deploy(image(ANSWER="A"))
    canary.patch(spec={"paused": True, "template": rollout(image(ANSWER="B"))["spec"]["template"]})
    status = canary.wait(lambda status: status.get("currentStepIndex") == 0, "the manual pause")
    assert (status["phase"], status["message"]) == ("Paused", "manually paused")
    eventually(lambda: sorted(canary.replicas().values()) == [0, 2], "the new ReplicaSet without a pod")
    canary.patch(spec={"paused": False})
    canary.wait_for_pause(1)


def test_scale_down_delay_without_traffic_routing_is_an_invalid_spec(canary: Canary, image: Image) -> None:
    body = rollout(image(ANSWER="A"))
    body["spec"]["strategy"]["canary"] = {"scaleDownDelaySeconds": 30, "steps": [{"setWeight": 20}]}
    canary.create(body)
    status = canary.wait(lambda status: status.get("phase") == "Degraded", "the refusal")
    assert status["message"] == (
        'InvalidSpec: The Rollout "backend" is invalid: spec.strategy.scaleDownDelaySeconds: Invalid value: 30: '
        "Canary scaleDownDelaySeconds can only be used with traffic routing"
    )
    assert canary.replicas() == {}


def test_a_missing_service_is_an_invalid_spec_until_it_is_created(canary: Canary, image: Image) -> None:
    canary.create(rollout(image(ANSWER="A")))
    canary.services.delete(name="backend-canary", namespace=canary.namespace)
    canary.patch(metadata={"labels": {"touched": "yes"}})
    canary.wait(lambda status: condition(status, "InvalidSpec"), "the refusal")
    body = {"metadata": {"name": "backend-canary"}, "spec": {"selector": {"app": "backend"}, "ports": [{"port": 80}]}}
    canary.services.create(body, namespace=canary.namespace)
    status = canary.wait(canary.is_done, "the first deployment")
    assert condition(status, "InvalidSpec") is None
