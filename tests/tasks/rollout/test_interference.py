"""Others at the same Rollout and Ingress, and a network and a controller that fail: no step is skipped, all is said."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from delivery.application.planning import CanaryRun
from delivery.environment import Environment
from delivery.errors import NotApplied, RollbackFailed, RolloutBroken
from delivery.rollout.conditions import why_moved
from delivery.rollout.snapshot import RolloutSnapshot
from delivery.rollout.weights import why_not_weight
from sandbox.testing import PATIENCE, eventually
from tasks.canary.start import wait_until_paused
from tasks.canary.watch import watch
from tasks.rollback.rollback import roll_back_application
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import confirm_weight, end_pause, wait_until_left
from tests.aws import SandboxAws
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import hasty, install, stand_at_first_pause, start

pytestmark = pytest.mark.proof

CONTROLLER = {"name": "argo-rollouts", "namespace": "argo-rollouts"}


@pytest.fixture
def without_controller(shop: Shop) -> Iterator[LiveRollout]:
    """The Rollouts controller can be stopped: by `kubectl scale`, as a person would; it runs again afterwards."""
    yield connect_rollout(shop.environment)
    scale_controller(shop, 1)


def kubectl(shop: Shop, *arguments: str) -> str:
    """What it prints, used as a colleague at a shell does."""
    program = Path(sys.executable).parent / "kubectl"
    config = shop.environment.application.kubeconfig or ""
    command = [program, "--kubeconfig", config, "--namespace", shop.namespace, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scale_controller(shop: Shop, replicas: int) -> None:
    kubectl(shop, "-n", "argo-rollouts", "scale", "deployment", "argo-rollouts", f"--replicas={replicas}")


def why_watching_ends(live: LiveRollout, canary: CanaryRun) -> str:
    """What moved a Rollout that waits at its first pause, once it is seen."""
    step, shown = canary.steps[0], live.environment.canary.ready_deadline

    def why(snapshot: RolloutSnapshot) -> str | None:
        return why_moved(snapshot, step, canary.canary_hash, canary.stable_hash)

    snapshot = live.wait_until(
        live.read, lambda now: None if why(now) else "nothing was seen", "the interference", deadline=shown
    )
    return why(snapshot) or ""


def test_somebody_who_scales_the_rollout_in_the_middle_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        kubectl(shop, "scale", "rollout", "till", "--replicas=3")
        sentence = why_watching_ends(live, canary)
    # Of a scale the API server keeps no time.
    assert sentence == "somebody else (last kubectl) scaled it to 3 pods"


def test_somebody_who_changes_the_image_in_the_middle_is_named(shop: Shop) -> None:
    install(shop, shop.push("a"))
    other = shop.push("c")
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        containers = live.read_object("Rollout", "till")["spec"]["template"]["spec"]["containers"]
        containers[0]["image"] = f"{containers[0]['image'].partition('@')[0]}@{other}"
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        kubectl(shop, "patch", "rollout", "till", "--type=merge", "-p", json.dumps(body))
        sentence = why_watching_ends(live, canary)
    assert sentence.startswith("somebody else (last kubectl-patch, ")
    assert f"changed it: its revision is {live.read().current_hash}, not {canary.canary_hash}" in sentence


def test_an_ingress_that_leads_past_the_weighted_action_is_named_by_its_route(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        backend = {"service": {"name": "blue", "port": {"number": 80}}}
        patch = [{"op": "replace", "path": "/spec/rules/0/http/paths/0/backend", "value": backend}]
        kubectl(shop, "patch", "ingress", "front", "--type=json", "-p", json.dumps(patch))
        # Until the load balancer has followed the edit, the weight is still the one before it.
        eventually(lambda: why_not_weight(live.read_weight_sources(), canary.steps[0].weight_percent))
        with pytest.raises(NotApplied) as stopped:
            hasty_system(shop).wait_for_weight(canary.steps[0].weight_percent)
        sentence = why_watching_ends(live, canary)
    assert "wanted 30 %, but listener rule 1 of :443" in str(stopped.value)
    assert "says 0 %" in str(stopped.value)
    assert "the controller refuses its specification" in sentence
    assert "ingress `front` has no rules using service door backend" in sentence


def test_an_abort_by_the_analysis_in_the_cluster_is_said_with_its_measurement(shop: Shop) -> None:
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    manifests[-1]["spec"]["strategy"]["canary"]["analysis"] = {"templates": [{"templateName": "rate"}]}
    metric = {"name": "rate", "failureCondition": "result < 0.95", "provider": {"web": {"url": "http://127.0.0.1:9"}}}
    template = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "spec": {"metrics": [metric]}}
    template["metadata"] = {"name": "rate", "namespace": shop.namespace}
    path.write_text(yaml.safe_dump_all([template, *manifests]))
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        run = kubectl(shop, "get", "analysisruns", "-o", "jsonpath={.items[*].metadata.name}")
        measured = {"status": {"phase": "Failed", "message": "rate is 0.71"}}
        kubectl(shop, "patch", "analysisrun", run, "--type=merge", "-p", json.dumps(measured))
        with pytest.raises(RolloutBroken) as stopped:
            watch.fn(shop.environment, release, canary, canary.steps[0], None)
        roll_back_application.fn(shop.environment, release)
    assert str(stopped.value).startswith(
        "Rollout till was watched at 30 %: the analysis in the cluster aborted it: RolloutAborted"
    )
    assert "rate is 0.71" in str(stopped.value)


def hasty_system(shop: Shop) -> LiveRollout:
    return connect_rollout(hasty(shop.environment, 2))


def test_a_weight_edited_by_hand_is_put_back_by_the_controller_and_read_back(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        annotations = live.read_object("Ingress", "front")["metadata"]["annotations"]
        edited = annotations[live.rollout_spec.action].replace('"Weight":30', '"Weight":90').replace(":70}", ":10}")
        assert edited != annotations[live.rollout_spec.action]
        kubectl(shop, "annotate", "--overwrite", "ingress", "front", f"{live.rollout_spec.action}={edited}")
        confirm_weight.fn(shop.environment, canary, canary.steps[0])


def test_a_weight_that_the_load_balancer_silently_does_not_take_is_named_by_its_rule(
    shop: Shop, aws: SandboxAws
) -> None:
    install(shop, shop.push("a"))
    aws.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox")
    with shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        wait_until_paused.fn(shop.environment, canary, canary.steps[0])
        with pytest.raises(NotApplied) as stopped:
            confirm_weight.fn(hasty(shop.environment, 3), canary, canary.steps[0])
    assert str(stopped.value).startswith("Waited 0:00:03 for the canary's weight of 30 %: wanted 30 %, but listener")
    assert "rule 1 of :443" in str(stopped.value)


def test_a_controller_that_was_stopped_before_the_release_is_told_of(shop: Shop, without_controller) -> None:
    install(shop, shop.push("a"))
    scale_controller(shop, 0)
    environment = hasty(shop.environment, 4)
    with shop.release(shop.push("b")) as release, pytest.raises(NotApplied) as stopped:
        start(Shop(shop.sandbox, environment, shop.host), release)
    assert "the controller has not observed the specification yet." in str(stopped.value)
    assert "The Rollouts controller does not act: look whether it runs" in str(stopped.value)


def test_a_controller_that_stops_at_a_pause_is_told_of_and_no_step_is_skipped(shop: Shop, without_controller) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        scale_controller(shop, 0)
        end_pause(live, release, canary.canary_hash, canary.steps[0])
        with pytest.raises(NotApplied, match="The Rollouts controller does not act"):
            wait_until_left(hasty_system(shop), canary.canary_hash, canary.steps[0])
        scale_controller(shop, 1)
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])


def resigned(shop: Shop, *, ready: float) -> Environment:
    """The shop's environment, where nobody waits long for a weight or an abort that does not come."""
    environment = hasty(shop.environment, 3)
    limits = {"ready_deadline": timedelta(seconds=ready), "abort_deadline": timedelta(seconds=3)}
    return environment.model_copy(update={"canary": environment.canary.model_copy(update=limits)})


def test_an_abort_whose_weight_the_load_balancer_does_not_take_is_escalated_with_its_rules(
    shop: Shop, aws: SandboxAws
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        stand_at_first_pause(shop, release)
        aws.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox")
        with pytest.raises(RollbackFailed) as failed:
            roll_back_application.fn(resigned(shop, ready=PATIENCE), release)
    rule = f"listener rule 1 of :443 ({shop.host}, /api, /api/*) says 30 %"
    assert str(failed.value) == (
        f"Waited 0:00:03 for the canary's weight of 0 %: wanted 0 %, but {rule}. "
        "The new revision's share of the traffic: the Rollout's status says 0 %, the annotation of Ingress front says "
        f"0 %, {rule}. "
        "The load balancer does not follow its Ingress. For the reason: kubectl describe ingress front "
        f"-n {shop.namespace}. To see whether its controller runs: kubectl get pods -A -l "
        "app.kubernetes.io/name=aws-load-balancer-controller. To set the weights at once: aws elbv2 modify-rule."
    )


def test_an_abort_that_the_controller_does_not_act_on_is_escalated_with_where_the_traffic_stays(
    shop: Shop, without_controller
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        stand_at_first_pause(shop, release)
        scale_controller(shop, 0)
        with pytest.raises(RollbackFailed) as failed:
            roll_back_application.fn(resigned(shop, ready=5), release)
    said = str(failed.value)
    assert said.startswith("Waited 0:00:05 for revision 1 to serve all traffic: the controller has not observed the ")
    assert "The Rollouts controller does not act: look whether it runs (kubectl get pods -n argo-rollouts). " in said
    assert "the Rollout's status says 30 %, the annotation of Ingress front says 30 %, listener rule 1 of :443" in said
    manually = "To fix it manually: kubectl argo rollouts get rollout till "
    assert said.endswith(f"{manually}-n {shop.namespace}, then abort or undo it, and check the listener rules.")


def test_who_is_quicker_makes_a_conflict_that_is_decided_on_a_new_reading(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            notes = iter(("one", "two"))
            connection.before_write = lambda: annotate(live, next(notes, ""))
            end_pause(connect_rollout(shop.through(kubeconfig)), release, canary.canary_hash, canary.steps[0])
            assert next(notes, None) is None
            assert connection.carried_out == 1
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])


def test_others_who_never_stop_writing_are_given_way_to(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            notes = iter(range(1, 100))
            connection.before_write = lambda: annotate(live, str(next(notes)))
            with pytest.raises(RolloutBroken, match="was written by others 5 times in a row"):
                end_pause(connect_rollout(shop.through(kubeconfig)), release, canary.canary_hash, canary.steps[0])
            assert connection.carried_out == 0
        assert live.read().step_index == canary.steps[0].pause_index


def annotate(live: LiveRollout, note: str) -> None:
    """Writes the Rollout; without a note it leaves it as it is."""
    if note:
        version = live.read().resource_version
        body = {"metadata": {"annotations": {"note": note}}}
        live.cluster.patch_merge("Rollout", "till", live.rollout_spec.namespace, body, resource_version=version)


def test_a_promotion_whose_answer_is_lost_arrived_once(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            connection.lost = 1
            end_pause(connect_rollout(shop.through(kubeconfig)), release, canary.canary_hash, canary.steps[0])
            assert (connection.lost, connection.carried_out) == (0, 1)
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])


def test_a_cluster_that_is_away_for_a_while_is_asked_again(shop: Shop, tmp_path: Path) -> None:
    """Nothing is held open that could end unnoticed: each look is a request of its own."""
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            live = connect_rollout(shop.through(kubeconfig))
            live.read()
            connection.away = 12
            live.wait_until(
                lambda: live.look(canary.canary_hash),
                lambda now: None if now.step_index == 1 else "it is not there",
                "the first pause",
                deadline=shop.environment.canary.ready_deadline,
            )
            assert connection.away == 0
