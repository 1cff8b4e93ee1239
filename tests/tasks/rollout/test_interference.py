"""Other writers of the Rollout and the Ingress during a canary: no step is skipped, and the reason is reported."""

import json
from pathlib import Path

import pytest
import yaml

from delivery.application.planning import CanaryRun
from delivery.errors import NotApplied, RolloutBroken
from delivery.rollout.conditions import why_moved
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import why_not_weight
from sandbox.testing import eventually
from tasks.canary.start import wait_until_paused
from tasks.canary.watch import watch
from tasks.rollback.rollback import roll_back_application
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import confirm_weight, end_pause
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import install, reach_first_pause, with_deadlines
from tests.tasks.rollout.kubectl import kubectl

pytestmark = pytest.mark.proof


def wait_for_reason(live: LiveRollout, canary: CanaryRun) -> str:
    """What another client changed during the first pause, as soon as it is visible."""
    step, deadline = canary.steps[0], live.environment.canary.ready_deadline

    def why(snapshot: RolloutSnapshot) -> str | None:
        return why_moved(snapshot, step, canary.canary_hash, canary.stable_hash)

    snapshot = live.wait_until(
        live.read, lambda now: None if why(now) else "no change", "the change of another client", deadline=deadline
    )
    return why(snapshot) or ""


def test_a_client_that_scales_the_rollout_during_a_canary_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        kubectl(shop, "scale", "rollout", "till", "--replicas=3")
        reason = wait_for_reason(live, canary)
    # The API server does not record the time of a scale request.
    assert reason == "another client (field manager kubectl) scaled it to 3 pods"


def test_a_client_that_changes_the_image_during_a_canary_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))
    other = shop.push("c")
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        containers = live.read_object("Rollout", "till")["spec"]["template"]["spec"]["containers"]
        containers[0]["image"] = f"{containers[0]['image'].partition('@')[0]}@{other}"
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        kubectl(shop, "patch", "rollout", "till", "--type=merge", "-p", json.dumps(body))
        reason = wait_for_reason(live, canary)
    assert reason.startswith("another client (field manager kubectl-patch, ")
    assert f"changed it: its pod-template hash is {live.read().current_hash}, not {canary.canary_hash}" in reason


def test_an_ingress_without_the_weighted_action_is_reported_with_its_route(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        backend = {"service": {"name": "blue", "port": {"number": 80}}}
        patch = [{"op": "replace", "path": "/spec/rules/0/http/paths/0/backend", "value": backend}]
        kubectl(shop, "patch", "ingress", "front", "--type=json", "-p", json.dumps(patch))
        # The weight changes when the load balancer has followed the edit.
        eventually(lambda: why_not_weight(live.read_weight_sources(), canary.steps[0].weight_percent))
        with pytest.raises(NotApplied) as stopped:
            connect_rollout(with_deadlines(shop.environment, 2)).wait_for_weight(canary.steps[0].weight_percent)
        reason = wait_for_reason(live, canary)
    assert "wanted 30 %, but listener rule with priority 1 on port 443" in str(stopped.value)
    assert "has weight 0 %" in str(stopped.value)
    assert "the controller rejects its specification" in reason
    assert "ingress `front` has no rules using service door backend" in reason


def test_an_abort_by_the_analysis_in_the_cluster_is_reported_with_its_measurement(shop: Shop) -> None:
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    manifests[-1]["spec"]["strategy"]["canary"]["analysis"] = {"templates": [{"templateName": "rate"}]}
    metric = {"name": "rate", "failureCondition": "result < 0.95", "provider": {"web": {"url": "http://127.0.0.1:9"}}}
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "spec": {"metrics": [metric]}}
    template["metadata"] = {"name": "rate", "namespace": shop.namespace}
    path.write_text(yaml.safe_dump_all([template, *manifests]))
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        run = kubectl(shop, "get", "analysisruns", "-o", "jsonpath={.items[*].metadata.name}")
        measured = {"status": {"phase": "Failed", "message": "rate is 0.71"}}
        kubectl(shop, "patch", "analysisrun", run, "--type=merge", "-p", json.dumps(measured))
        with pytest.raises(RolloutBroken) as stopped:
            watch.fn(context, canary, canary.steps[0], None)
        roll_back_application.fn(context)
    assert str(stopped.value).startswith(
        "Rollout till changed in the pause at 30 %: the analysis in the cluster aborted it: RolloutAborted"
    )
    assert "rate is 0.71" in str(stopped.value)


def test_a_weight_that_is_edited_manually_is_restored_by_the_controller_and_read_back(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        annotations = live.read_object("Ingress", "front")["metadata"]["annotations"]
        edited = annotations[live.rollout_spec.action].replace('"Weight":30', '"Weight":90').replace(":70}", ":10}")
        assert edited != annotations[live.rollout_spec.action]
        kubectl(shop, "annotate", "--overwrite", "ingress", "front", f"{live.rollout_spec.action}={edited}")
        confirm_weight.fn(shop.environment, canary.steps[0])


def test_after_a_conflict_with_a_faster_writer_the_rollout_is_read_again(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            notes = iter(("one", "two"))
            connection.before_write = lambda: annotate(live, next(notes, ""))
            end_pause(connect_rollout(shop.through(kubeconfig)), context, canary.canary_hash, canary.steps[0])
            assert next(notes, None) is None
            assert connection.accepted_writes == 1
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])


def test_a_pause_is_not_ended_if_another_writer_never_stops_writing(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            notes = iter(range(1, 100))
            connection.before_write = lambda: annotate(live, str(next(notes)))
            with pytest.raises(RolloutBroken, match="another client changed it during each of 5 attempts"):
                end_pause(connect_rollout(shop.through(kubeconfig)), context, canary.canary_hash, canary.steps[0])
            assert connection.accepted_writes == 0
        assert live.read().step_index == canary.steps[0].pause_index


def annotate(live: LiveRollout, note: str) -> None:
    """Write the Rollout if there is a note."""
    if note:
        version = live.read().resource_version
        body = {"metadata": {"annotations": {"note": note}}}
        live.cluster.patch_merge("Rollout", "till", live.rollout_spec.namespace, body, resource_version=version)
