"""A load balancer, a controller or a cluster that does not respond during a canary: no step is skipped."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.context import ReleaseContext
from delivery.errors import NotApplied, RollbackFailed
from sandbox.testing import PATIENCE
from tasks.canary.start import wait_until_paused
from tasks.rollback.rollback import roll_back_application
from tasks.rollout.live import LiveRollout, connect_rollout
from tasks.rollout.steps import confirm_weight, end_pause, wait_until_past_pause
from tests.aws import SandboxAws
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import install, reach_first_pause, start, with_deadlines
from tests.tasks.rollout.kubectl import kubectl

pytestmark = pytest.mark.proof


@pytest.fixture
def stoppable_controller(shop: Shop) -> Iterator[LiveRollout]:
    """The test can stop the Rollouts controller. It is started again after the test."""
    yield connect_rollout(shop.environment)
    scale_controller(shop, 1)


def scale_controller(shop: Shop, replicas: int) -> None:
    kubectl(shop, "-n", "argo-rollouts", "scale", "deployment", "argo-rollouts", f"--replicas={replicas}")


def test_a_weight_that_the_load_balancer_ignores_is_reported_with_its_rule(shop: Shop, aws: SandboxAws) -> None:
    install(shop, shop.push("a"))
    aws.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox")
    with shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        wait_until_paused.fn(shop.environment, canary, canary.steps[0])
        with pytest.raises(NotApplied) as stopped:
            confirm_weight.fn(with_deadlines(shop.environment, 3), canary.steps[0])
    assert str(stopped.value).startswith("Waited 3s for the canary's weight of 30 %: wanted 30 %, but listener rule ")
    assert "with priority 1 on port 443" in str(stopped.value)


def test_a_controller_that_stopped_before_the_release_is_reported(shop: Shop, stoppable_controller) -> None:
    install(shop, shop.push("a"))
    scale_controller(shop, 0)
    with shop.release(shop.push("b")) as context, pytest.raises(NotApplied) as stopped:
        start(shop, replace(context, environment=with_deadlines(shop.environment, 4)))
    assert "the controller has not observed the specification yet." in str(stopped.value)
    assert "The Rollouts controller does not respond. Check that it runs: kubectl" in str(stopped.value)


def test_a_controller_that_stops_at_a_pause_is_reported_and_no_step_is_skipped(
    shop: Shop, stoppable_controller
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        scale_controller(shop, 0)
        end_pause(live, context, canary.canary_hash, canary.steps[0])
        with pytest.raises(NotApplied, match="The Rollouts controller does not respond"):
            wait_until_past_pause(
                connect_rollout(with_deadlines(shop.environment, 2)), canary.canary_hash, canary.steps[0]
            )
        scale_controller(shop, 1)
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])


def with_rollback_deadlines(context: ReleaseContext, *, ready: float) -> ReleaseContext:
    """The release with short deadlines for its rollback. ready: in seconds."""
    environment = with_deadlines(context.environment, 3)
    limits = {"ready_deadline": timedelta(seconds=ready), "abort_deadline": timedelta(seconds=3)}
    canary = environment.canary.model_copy(update=limits)
    return replace(context, environment=environment.model_copy(update={"canary": canary}))


def test_a_rollback_fails_and_names_the_rules_if_the_load_balancer_ignores_the_weight(
    shop: Shop, aws: SandboxAws
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        reach_first_pause(shop, context)
        aws.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox")
        with pytest.raises(RollbackFailed) as failed:
            roll_back_application.fn(with_rollback_deadlines(context, ready=PATIENCE))
    rule = f"listener rule with priority 1 on port 443 ({shop.host}, /api, /api/*) has weight 30 %"
    assert str(failed.value) == (
        f"Waited 3s for the canary's weight of 0 %: wanted 0 %, but {rule}. "
        "Weight of the new revision: the Rollout's status has weight 0 %, the annotation of Ingress front has weight "
        f"0 %, {rule}. "
        "The load balancer does not follow its Ingress. For the reason: kubectl describe ingress front "
        f"-n {shop.namespace}. To see whether its controller runs: kubectl get pods -A -l "
        "app.kubernetes.io/name=aws-load-balancer-controller. To set the weights at once: aws elbv2 modify-rule."
    )


def test_a_rollback_fails_and_states_the_weights_if_the_controller_does_not_act_on_the_abort(
    shop: Shop, stoppable_controller
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        reach_first_pause(shop, context)
        scale_controller(shop, 0)
        with pytest.raises(RollbackFailed) as failed:
            roll_back_application.fn(with_rollback_deadlines(context, ready=5))
    message = str(failed.value)
    assert message.startswith("Waited 5s for revision 1 to serve all traffic: the controller has not observed the ")
    assert (
        "The Rollouts controller does not respond. Check that it runs: kubectl get pods -n argo-rollouts. " in message
    )
    weights = (
        "the Rollout's status has weight 30 %, the annotation of Ingress front has weight 30 %, listener rule with"
    )
    assert weights in message
    manually = "To fix it manually: kubectl argo rollouts get rollout till "
    assert message.endswith(f"{manually}-n {shop.namespace}, then abort or undo it, and check the listener rules.")


def test_a_promotion_whose_answer_is_lost_is_made_only_once(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            connection.answers_to_lose = 1
            end_pause(connect_rollout(shop.through(kubeconfig)), context, canary.canary_hash, canary.steps[0])
            assert (connection.answers_to_lose, connection.accepted_writes) == (0, 1)
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])


def test_reads_are_repeated_while_the_cluster_does_not_answer(shop: Shop, tmp_path: Path) -> None:
    """Each read is a request of its own, so no open connection can end unnoticed."""
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            live = connect_rollout(shop.through(kubeconfig))
            live.read()
            connection.reads_to_drop = 12
            live.wait_until(
                lambda: live.read_unless_broken(canary.canary_hash),
                lambda now: None if now.step_index == 1 else "it is not at the pause",
                "the first pause",
                deadline=shop.environment.canary.ready_deadline,
            )
            assert connection.reads_to_drop == 0
