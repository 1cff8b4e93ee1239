"""Rollouts against the sandbox's cluster, controllers and load balancer: each test has an application of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from delivery.application.planning import CanaryRun
from delivery.canary.verdict import Analysis, PauseAction, Verdict
from delivery.errors import NotApplied, NotPromoted, RolloutBroken
from delivery.plan import PartPlan, StepAction
from delivery.release import Event, Release
from delivery.rollout.conditions import why_not_ready_to_start
from delivery.rollout.manifests import HASH_LABEL
from delivery.rollout.weights import find_arms, why_not_weight
from sandbox.aws.client import client, client_at
from tasks.application.planning import make_object_plan, render_application
from tasks.canary.approval import require_approval
from tasks.canary.start import confirm_promoted, wait_until_paused
from tasks.canary.watch import Watch, watch
from tasks.rollback.rollback import roll_back_application
from tasks.rollout.live import connect_rollout
from tasks.rollout.steps import clear_pause, confirm_weight, end_pause
from tasks.state.journal import read_journal
from tests.aws import ALARM, SandboxAws
from tests.lossy import lossy_kubeconfig
from tests.shop import CRASH, Shop
from tests.tasks.canaries import hasty, start

UNJUDGED = "the test wants it"


def go_through(shop: Shop, release: Release, canary: CanaryRun) -> list[Analysis]:
    """Every step that is left, as the flow takes them."""
    evidence, analyses = None, []
    for step in canary.steps:
        wait_until_paused.fn(shop.environment, canary, step)
        confirm_weight.fn(shop.environment, canary, step)
        evidence, move = watch.fn(shop.environment, release, canary, step, evidence)
        analyses.append(move.analysis)
        evidence, approval = require_approval(shop.environment, release, canary, step, evidence, move)
        clear_pause.fn(shop.environment, release, canary, step, approval)
    confirm_promoted.fn(shop.environment, canary)
    return analyses


def roll_out(shop: Shop, digest: str) -> list[Analysis]:
    with shop.release(digest) as release:
        return go_through(shop, release, start(shop, release))


def stand_at(shop: Shop, release: Release, canary: CanaryRun, index: int) -> None:
    """The canary waits at this one of its pauses, those before it unjudged."""
    for step in canary.steps[: index + 1]:
        wait_until_paused.fn(shop.environment, canary, step)
        confirm_weight.fn(shop.environment, canary, step)
        if step is not canary.steps[index]:
            clear_pause.fn(shop.environment, release, canary, step, UNJUDGED)


def pausing(shop: Shop, pause: timedelta, ceiling: float) -> Shop:
    """The same shop with other pauses."""
    canary = shop.environment.canary.model_copy(update={"pause": pause, "ceiling": ceiling})
    return replace(shop, environment=shop.environment.model_copy(update={"canary": canary}))


def judged(shop: Shop, release: Release) -> list[dict[str, Any]]:
    """What the journal keeps of each step's judgement."""
    journal = read_journal(shop.environment, release.number)
    return [record.detail for record in journal if record.event is Event.JUDGED]


def served_image(shop: Shop) -> str:
    """The image of the revision that has all traffic, by every witness and at rest."""
    live = connect_rollout(shop.environment)
    live.wait_until(live.read, why_not_ready_to_start, "rest", deadline=shop.environment.canary.ready_deadline)
    assert why_not_weight(live.read_weight_sources(), 0) is None
    stable = live.read().stable
    assert stable is not None
    return stable.image.rpartition("@")[2]


def plan(shop: Shop, digest: str) -> PartPlan:
    live = connect_rollout(shop.environment)
    return make_object_plan(live, render_application(shop.environment, digest, {}), digest)


def test_a_first_installation_has_no_canary_and_serves_its_digest(shop: Shop) -> None:
    digest = shop.push("a")
    assert {step.action for step in plan(shop, digest).steps} == {StepAction.CREATE}
    assert roll_out(shop, digest) == []
    assert served_image(shop) == digest
    assert {step.action for step in plan(shop, digest).steps} == {StepAction.NOTHING}


def test_a_good_release_is_promoted_on_evidence_at_every_step(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.users():
        analyses = roll_out(shop, digest)
    assert [analysis.verdict for analysis in analyses] == [Verdict.PASS, Verdict.PASS]
    assert all(analysis.stable.requests and analysis.canary.requests for analysis in analyses)
    assert served_image(shop) == digest


def test_a_bad_release_is_stopped_and_taken_back(shop: Shop) -> None:
    good = shop.push("a")
    roll_out(shop, good)
    patient = pausing(shop, timedelta(minutes=5), 1.0)
    with shop.users(), patient.release(shop.push("bad", status=500)) as release:
        with pytest.raises(NotPromoted, match=r"not promoted past 30 %: (harm is proven|the success rate is below)"):
            go_through(patient, release, start(patient, release))
        sentence = roll_back_application.fn(shop.environment, release)
    (step,) = judged(shop, release)
    assert (step["weight_percent"], step["verdict"]) == (30, "fail")
    assert step["canary"]["failures"] == step["canary"]["requests"] > 0 == step["stable"]["failures"]
    assert set(step["read_back"].values()) == {30}
    assert step["seconds"] < patient.environment.canary.pause.total_seconds()
    assert f"{good}, serves all traffic, read back from the load balancer." in sentence
    assert served_image(shop) == good
    assert plan(shop, good).steps[-1].action is StepAction.NOTHING


@pytest.mark.proof
def test_a_release_that_crashes_is_stopped_with_its_exit_code(shop: Shop) -> None:
    good = shop.push("a")
    roll_out(shop, good)
    with shop.release(shop.push("crash", program=CRASH)) as release:
        with pytest.raises(NotPromoted, match="exit code 3") as stopped:
            go_through(shop, release, start(shop, release))
        assert stopped.value.is_failure
        roll_back_application.fn(shop.environment, release)
    assert served_image(shop) == good


@pytest.mark.proof
def test_a_step_that_nobody_uses_is_inconclusive_and_not_promoted(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    hurried = pausing(shop, timedelta(seconds=6), 3.0)
    with hurried.release(shop.push("b")) as release:
        with pytest.raises(NotPromoted, match="no requests were counted for the new revision at 30 %") as stopped:
            go_through(hurried, release, start(hurried, release))
        assert not stopped.value.is_failure
    (step,) = judged(shop, release)
    assert (step["verdict"], step["canary"]["requests"], step["periods"] > 0) == ("inconclusive", 0, True)
    assert step["seconds"] >= 18


def test_a_plan_says_when_nobody_can_tell_whether_the_traffic_will_do_for_its_canary(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    (forecast_findings,) = plan(pausing(shop, timedelta(seconds=6), 3.0), shop.push("b")).findings
    assert forecast_findings == (
        "It is not known whether the traffic will do for the canary: none was counted in the last 0:00:18."
    )


@pytest.mark.proof
def test_an_alarm_that_begins_to_ring_stops_the_canary_by_its_name(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    name = f"{shop.environment.prefix}-{shop.namespace}"
    cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    with shop.users(), shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        stand_at(shop, release, canary, 0)
        watched = Watch.begin(connect_rollout(shop.environment), release, canary, canary.steps[0], None)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 failed")
        move = watched.follow()
        assert (move.action, move.line) == (
            PauseAction.ABORT,
            f"an alarm began to ring during the canary: {name} (12 failed)",
        )
        roll_back_application.fn(shop.environment, release)
    cloudwatch.delete_alarms(AlarmNames=[name])


@pytest.mark.proof
def test_a_weight_that_does_not_stay_is_named_by_its_rules_and_is_not_judged(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    with shop.users(), shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        stand_at(shop, release, canary, 0)
        with (
            moved_rules(shop),
            pytest.raises(
                NotApplied, match=r"30 % was confirmed and has not been in force for .*: wanted 30 %, but listener rule"
            ),
        ):
            watch.fn(hasty(shop.environment, 10), release, canary, canary.steps[0], None)
        assert judged(shop, release) == []
        roll_back_application.fn(shop.environment, release)


@contextmanager
def moved_rules(shop: Shop) -> Iterator[None]:
    """Somebody sends everything to the stable revision, and the controller cannot repair it within the block."""
    aws, live = SandboxAws(shop.sandbox.addresses.aws), connect_rollout(shop.environment)
    arms = find_arms(live.rollout_spec, live.observe().bindings)
    elbv2 = client_at(aws.endpoint, "elbv2", shop.environment.aws.region, caller="somebody")
    aws.fault(kind="ignore", match="elasticloadbalancing:ModifyRule", caller="sandbox")
    actions = [{"Type": "forward", "TargetGroupArn": min(arms.stable)}]
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
def test_a_digest_that_failed_is_judged_again_when_it_is_released_again(shop: Shop) -> None:
    bad = shop.push("bad", status=500)
    roll_out(shop, shop.push("a"))
    with shop.users():
        with shop.release(bad) as first:
            canary = start(shop, first)
            wait_until_paused.fn(shop.environment, canary, canary.steps[0])
            roll_back_application.fn(shop.environment, first)
        # What serves now is younger than the failed revision, which the controller takes for one that was proved.
        roll_out(shop, shop.push("b"))
        with shop.release(bad) as second, pytest.raises(NotPromoted, match="not promoted past 30 %"):
            go_through(shop, second, start(shop, second))


@pytest.mark.proof
def test_an_unfinished_canary_of_the_same_artifact_is_gone_on_with_where_it_stands(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.release(digest) as died:
        stand_at(shop, died, start(shop, died), 1)
    assert "gone on with, at step 3" in plan(shop, digest).steps[-1].changes[-1]
    with shop.users(), shop.release(digest) as release:
        canary = start(shop, release)
        assert [step.weight_percent for step in canary.steps] == [70]
        go_through(shop, release, canary)
    assert served_image(shop) == digest


@pytest.mark.proof
def test_an_unfinished_canary_of_another_artifact_is_aborted_before_the_template_changes(shop: Shop) -> None:
    good = shop.push("a")
    roll_out(shop, good)
    with shop.release(shop.push("b")) as died:
        stand_at(shop, died, start(shop, died), 0)
    with shop.release(shop.push("c")) as release:
        canary = start(shop, release)
        steps = [record.step for record in read_journal(shop.environment, release.number) if record.event is Event.DONE]
        assert steps == ["Canary/abort", "Application/Rollout till", "Application/Rollout till"]
        wait_until_paused.fn(shop.environment, canary, canary.steps[0])
        roll_back_application.fn(shop.environment, release)
    assert served_image(shop) == good


@pytest.mark.proof
def test_a_canary_that_somebody_else_promotes_is_not_promoted_by_us(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    with shop.users(), shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        stand_at(shop, release, canary, 0)
        live = connect_rollout(shop.environment)
        live.patch_status(release, {"pauseConditions": None}, lambda _: None)
        with pytest.raises(RolloutBroken, match="somebody else"):
            watch.fn(shop.environment, release, canary, canary.steps[0], None)
        roll_back_application.fn(shop.environment, release)


def test_ending_a_pause_twice_skips_no_step(shop: Shop) -> None:
    roll_out(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        stand_at(shop, release, canary, 0)
        clear_pause.fn(shop.environment, release, canary, canary.steps[0], UNJUDGED)
        clear_pause.fn(shop.environment, release, canary, canary.steps[0], UNJUDGED)
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])
        confirm_weight.fn(shop.environment, canary, canary.steps[1])


def test_a_promotion_whose_answer_is_lost_skips_no_step(shop: Shop, tmp_path: Path) -> None:
    roll_out(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        canary = start(shop, release)
        stand_at(shop, release, canary, 0)
        with lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection):
            live = connect_rollout(shop.through(kubeconfig))
            connection.lost = 1
            end_pause(live, release, canary.canary_hash, canary.steps[0])
            assert connection.lost == 0
        wait_until_paused.fn(shop.environment, canary, canary.steps[1])
        confirm_weight.fn(shop.environment, canary, canary.steps[1])


def test_a_first_installation_that_never_serves_is_taken_away_again(shop: Shop) -> None:
    with shop.release(shop.push("crash", program=CRASH)) as release:
        with pytest.raises(NotPromoted, match="exit code 3"):
            start(shop, release)
        roll_back_application.fn(shop.environment, release)
    assert connect_rollout(shop.environment).find() is None


def test_a_first_installation_is_taken_away_without_waiting_for_other_rollouts_pods(shop: Shop) -> None:
    with shop.release(shop.push("crash", program=CRASH)) as release:
        with pytest.raises(NotPromoted):
            start(shop, release)
        shop.cluster.apply(pod_of_another_rollout(shop))
        sentence = roll_back_application.fn(shop.environment, release)
    assert sentence == "There was no revision before: Rollout till and its pods were taken away again."
    assert [pod["metadata"]["name"] for pod in shop.cluster.list("Pod", shop.namespace)] == ["counter-5d9c7"]


def pod_of_another_rollout(shop: Shop) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "counter-5d9c7",
            "namespace": shop.namespace,
            "labels": {"app": "counter", HASH_LABEL: "5d9c7"},
        },
        "spec": {"containers": [{"name": "counter", "image": "counter@sha256:" + "0" * 64}]},
    }
