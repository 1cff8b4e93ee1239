"""Rollouts in the sandbox's cluster, with its controllers and load balancer. Each test has its own application."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.canary.verdict import PauseAction, Verdict
from delivery.errors import NotApplied, NotPromoted, RolloutBroken
from delivery.plan import StepAction
from delivery.rollout.weights import find_target_groups
from sandbox.aws.client import client, client_at
from tasks.canary.start import wait_until_paused
from tasks.canary.watch import Watch, watch
from tasks.rollback.rollback import roll_back_application
from tasks.rollout.live import connect_rollout
from tasks.rollout.steps import clear_pause, confirm_weight, end_pause
from tests.aws import ALARM, SandboxAws
from tests.lossy import lossy_kubeconfig
from tests.shop import CRASH, Shop
from tests.tasks.canaries import (
    WITHOUT_ANALYSIS,
    judged,
    plan,
    roll_out,
    run_canary,
    served_digest_when_idle,
    start,
    wait_for_pause,
    with_deadlines,
)


def with_pauses(shop: Shop, pause: timedelta, ceiling: float) -> Shop:
    """The shop with other pauses."""
    canary = shop.environment.canary.model_copy(update={"pause": pause, "ceiling": ceiling})
    return replace(shop, environment=shop.environment.model_copy(update={"canary": canary}))


def test_a_good_release_is_promoted_on_evidence_at_every_step(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.users():
        analyses = roll_out(shop, digest)
    assert [analysis.verdict for analysis in analyses] == [Verdict.PASS, Verdict.PASS]
    assert all(analysis.stable.requests and analysis.canary.requests for analysis in analyses)
    assert served_digest_when_idle(shop) == digest


def test_a_bad_release_is_stopped_and_rolled_back(shop: Shop) -> None:
    good = shop.push("a")
    roll_out(shop, good)
    patient = with_pauses(shop, timedelta(minutes=5), 1.0)
    with shop.users(), patient.release(shop.push("bad", status=500)) as context:
        with pytest.raises(NotPromoted, match=r"failed at 30 %\. (Harm is proven|The success rate is below)"):
            run_canary(patient, context, start(patient, context))
        sentence = roll_back_application.fn(context)
    (step,) = judged(shop, context)
    assert (step["weight_percent"], step["verdict"]) == (30, "fail")
    assert step["canary"]["failures"] == step["canary"]["requests"] > 0 == step["stable"]["failures"]
    assert set(step["read_back"].values()) == {30}
    assert step["seconds"] < patient.environment.canary.pause.total_seconds()
    assert f"{good}, serves all traffic, confirmed at the load balancer." in sentence
    assert served_digest_when_idle(shop) == good
    assert plan(shop, good).steps[-1].action is StepAction.NOTHING


@pytest.mark.proof
def test_a_release_that_crashes_is_stopped_with_its_exit_code(shop: Shop) -> None:
    good = shop.push("a")
    roll_out(shop, good)
    with shop.release(shop.push("crash", program=CRASH)) as context:
        with pytest.raises(NotPromoted, match="exit code 3") as stopped:
            run_canary(shop, context, start(shop, context))
        assert stopped.value.is_failure
        roll_back_application.fn(context)
    assert served_digest_when_idle(shop) == good


@pytest.mark.proof
def test_a_step_without_requests_is_inconclusive_and_not_promoted(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    impatient = with_pauses(shop, timedelta(seconds=6), 3.0)
    with impatient.release(shop.push("b")) as context:
        with pytest.raises(NotPromoted, match="no requests were counted for the canary at 30 %") as stopped:
            run_canary(impatient, context, start(impatient, context))
        assert not stopped.value.is_failure
    (step,) = judged(shop, context)
    assert (step["verdict"], step["canary"]["requests"], step["periods"] > 0) == ("inconclusive", 0, True)
    assert step["seconds"] >= 18


def test_a_plan_says_if_it_is_unknown_whether_the_traffic_is_enough_for_the_canary(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    (forecast_findings,) = plan(with_pauses(shop, timedelta(seconds=6), 3.0), shop.push("b")).findings
    assert forecast_findings == (
        "It is unknown whether the traffic is enough for the canary: no requests were counted in the last 18s."
    )


@pytest.mark.proof
def test_an_alarm_that_goes_into_alarm_stops_the_canary_and_is_named(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    name = f"{shop.environment.prefix}-{shop.namespace}"
    cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    with shop.users(), shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        wait_for_pause(shop, context, canary, 0)
        watched = Watch.begin(connect_rollout(shop.environment), context, canary, canary.steps[0], None)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 failed")
        judgement = watched.run_pause()
        assert (judgement.action, judgement.line) == (
            PauseAction.ABORT,
            f"an alarm entered ALARM during the canary: {name} (12 failed)",
        )
        roll_back_application.fn(context)
    cloudwatch.delete_alarms(AlarmNames=[name])


@pytest.mark.proof
def test_a_weight_that_changes_during_the_pause_is_named_by_its_rules_and_is_not_judged(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    with shop.users(), shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        wait_for_pause(shop, context, canary, 0)
        with (
            moved_rules(shop),
            pytest.raises(
                NotApplied,
                match=r"weight differed from 30 % for .*: listener rule .* cannot be used\.",
            ),
        ):
            watch.fn(replace(context, environment=with_deadlines(shop.environment, 10)), canary, canary.steps[0], None)
        assert judged(shop, context) == []
        roll_back_application.fn(context)


@contextmanager
def moved_rules(shop: Shop) -> Iterator[None]:
    """A manual change sends all requests to the stable revision, and the controller cannot correct it in the block."""
    aws, live = SandboxAws(shop.sandbox.addresses.aws), connect_rollout(shop.environment)
    target_groups = find_target_groups(live.rollout_spec, live.observe().bindings)
    elbv2 = client_at(aws.endpoint, "elbv2", shop.environment.aws.region, caller="other")
    aws.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox")
    actions = [{"Type": "forward", "TargetGroupArn": min(target_groups.stable)}]
    listeners = elbv2.describe_listeners(LoadBalancerArn=live.find_load_balancer())["Listeners"]
    rules = [rule for found in listeners for rule in elbv2.describe_rules(ListenerArn=found["ListenerArn"])["Rules"]]
    for rule in rules:
        if not rule["IsDefault"]:
            elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)
    try:
        yield
    finally:
        aws.clear_faults()


@pytest.mark.proof
def test_a_canary_that_another_client_promotes_is_not_promoted_by_the_release(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    with shop.users(), shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        wait_for_pause(shop, context, canary, 0)
        live = connect_rollout(shop.environment)
        live.patch_status(context, {"pauseConditions": None}, lambda _: None)
        with pytest.raises(RolloutBroken, match="another client"):
            watch.fn(context, canary, canary.steps[0], None)
        roll_back_application.fn(context)


def test_ending_a_pause_twice_skips_no_step(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        wait_for_pause(shop, context, canary, 0)
        clear_pause.fn(context, canary, canary.steps[0], WITHOUT_ANALYSIS)
        clear_pause.fn(context, canary, canary.steps[0], WITHOUT_ANALYSIS)
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])
        confirm_weight.fn(shop.environment, canary.steps[1])


def test_a_promotion_whose_response_is_lost_skips_no_step(shop: Shop, tmp_path: Path) -> None:
    roll_out(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        canary = start(shop, context)
        wait_for_pause(shop, context, canary, 0)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            live = connect_rollout(shop.through(kubeconfig))
            connection.answers_to_lose = 1
            end_pause(live, context, canary.canary_hash, canary.steps[0])
            assert connection.answers_to_lose == 0
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])
        confirm_weight.fn(shop.environment, canary.steps[1])
