"""What a canary step is judged on, besides what is counted: after a person's yes, and whose counts they are."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.application.planning import CanaryRun
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import Move, PauseAction, Verdict, next_move
from delivery.errors import NotPromoted, Unavailable
from delivery.release import Event, Release
from delivery.rollout.manifests import HASH_LABEL
from delivery.rollout.weights import find_arms
from sandbox.aws.client import client
from sandbox.testing import eventually
from tasks.canary.start import confirm_promoted
from tasks.canary.watch import Watch, check_after_approval
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tests.aws import ALARM, SandboxAws
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import install, stand_at_first_pause


@pytest.fixture
def alarm(shop: Shop) -> Iterator[str]:
    """The name of an alarm of the environment, which does not ring."""
    name = f"{shop.environment.prefix}-{shop.namespace}"
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    yield name
    cloudwatch.delete_alarms(AlarmNames=[name])


def ring(shop: Shop, alarm: str) -> None:
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="12 failed")


def begin(shop: Shop, release: Release, canary: CanaryRun) -> Watch:
    return Watch.begin(connect_rollout(shop.environment), release, canary, canary.steps[0], None)


def test_an_alarm_that_rang_while_a_person_was_asked_outweighs_their_yes(shop: Shop, alarm: str) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        evidence = begin(shop, release, canary).evidence
        ring(shop, alarm)
        with pytest.raises(NotPromoted) as stopped:
            check_after_approval.fn(shop.environment, release, canary, canary.steps[0], evidence)
    assert stopped.value.is_failure
    assert str(stopped.value) == (
        "The canary was not promoted past 30 %, though a person wanted it: "
        f"an alarm began to ring during the canary: {alarm} (12 failed)."
    )
    (judged,) = [record.detail for record in read_journal(shop.environment, release.number) if is_judgement(record)]
    assert judged["verdict"] == "fail"


def is_judgement(record) -> bool:
    return record.event is Event.JUDGED


def test_what_was_counted_while_a_person_was_asked_is_evidence(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release, shop.users():
        _, canary = stand_at_first_pause(shop, release)
        asked = begin(shop, release, canary).evidence

        def look() -> Evidence:
            evidence, move = check_after_approval.fn(shop.environment, release, canary, canary.steps[0], asked)
            assert move.analysis.verdict is not Verdict.FAIL
            return evidence

        eventually(lambda: look().step_canary.requests)
        evidence = look()
    assert evidence.read_until > asked.read_until
    assert evidence.step_stable.requests > evidence.step_canary.requests


def test_proof_for_a_canary_while_a_person_is_asked_is_said_once_and_promotes_nothing(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="slipway")
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release, shop.users():
        _, canary = stand_at_first_pause(shop, release)
        watch = begin(shop, release, canary)
        assert watch.follow().action is PauseAction.ADVANCE
        caplog.clear()
        watch.watch_during_approval()
        watch.watch_during_approval()
    (said,) = caplog.messages
    assert said.startswith("30 %: there is proof for the canary now: ")
    assert said.endswith("; a person was asked, and decides")


def test_a_canary_that_lost_its_pods_for_long_does_not_serve(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        watch, well = begin(shop, release, canary), live.read()
        gone = replace(well, replica_sets=tuple(replace(found, available=0) for found in well.replica_sets), pods=())
        start, long = watch.evidence.begun, shop.environment.canary.mismatch_deadline
        for snapshot, moment in ((gone, start), (well, start + long / 2), (gone, start + long)):
            watch.read_rollout_check(snapshot, moment)
        assert watch.evidence.broken is None  # Its pods were there in between.
        watch.read_rollout_check(gone, start + 2 * long)
        assert watch.evidence.broken == f"for {long} 0 of 1 pods are available"


def test_counts_are_not_judged_while_a_service_selects_another_revision(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release, shop.users():
        live, canary = stand_at_first_pause(shop, release)
        watch = begin(shop, release, canary)
        seen = live.observe()
        arms = seen.find_counted_arms(canary.stable_hash, canary.canary_hash)
        assert arms == find_arms(live.rollout_spec, seen.bindings)
        selected = live.read_object("Service", "green")["spec"]["selector"]
        assert selected[HASH_LABEL] == canary.canary_hash
        # The canary's revision as the Service selects it now is not the one that this release brought.
        strange = CanaryRun(canary.stable_hash, "6c9f8d7b5", canary.image, canary.steps)
        watch.canary = strange
        with pytest.raises(Exception, match="It cannot be told which revision was counted: Service blue selects "):
            watch.find_arms(seen, watch.evidence.begun)
        assert watch.evidence.unsure == (watch.evidence.begun,)


def test_a_look_at_a_canary_asks_for_each_object_once(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    aws = SandboxAws(shop.sandbox.addresses.aws)
    with (
        shop.release(shop.push("b")) as release,
        lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection),
    ):
        _, canary = stand_at_first_pause(shop, release)
        watch = Watch.begin(connect_rollout(shop.through(kubeconfig)), release, canary, canary.steps[0], None)
        watch.look_at_everything(datetime.now(UTC))
        connection.reads.clear()
        aws.fault(kind="slow", seconds=0, match="elasticloadbalancing:*", caller="operator")
        assert watch.look_at_everything(datetime.now(UTC)) is None
        asked = Counter(hit["at"].partition(":")[2] for hit in aws.hits())
        aws.clear_faults()
    once = {"ingresses/front", "pods", "replicasets", "rollouts/till", "services/blue", "services/green"}
    paths = (path.partition("?")[0].partition(f"/namespaces/{shop.namespace}/")[2] for path in connection.reads)
    assert Counter(paths) == dict.fromkeys(once | {"targetgroupbindings"}, 1)
    assert asked == {"DescribeLoadBalancers": 1, "DescribeListeners": 1, "DescribeRules": 1}


def test_an_alarm_that_begins_to_ring_after_the_last_pause_is_named(shop: Shop, alarm: str) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        ring(shop, alarm)
        with pytest.raises(NotPromoted, match=rf"began to ring after the last pause: {alarm} \(12 failed\)\. Its cont"):
            confirm_promoted.fn(shop.environment, canary)


@pytest.fixture
def throttle(aws: SandboxAws) -> Callable[[], None]:
    """From then on the load balancer's API has too much to do for us."""
    return lambda: aws.fault(kind="throttle", match="elasticloadbalancing:*", caller="operator")


@pytest.mark.proof
def test_a_load_balancer_that_does_not_answer_hides_no_alarm(
    shop: Shop, alarm: str, throttle: Callable[[], None]
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        watch = begin(shop, release, canary)
        throttle()
        ring(shop, alarm)
        watch.look(datetime.now(UTC))
    move = next_move(watch.evidence, datetime.now(UTC))
    assert (move.action, move.line) == (
        PauseAction.ABORT,
        f"an alarm began to ring during the canary: {alarm} (12 failed)",
    )
    assert "Throttling" in (watch.evidence.unreadable or "")


@pytest.mark.proof
def test_a_load_balancer_that_does_not_answer_hides_no_counts_and_promotes_nothing(
    shop: Shop, aws: SandboxAws, throttle: Callable[[], None]
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release, shop.users():
        _, canary = stand_at_first_pause(shop, release)
        watch = begin(shop, release, canary)
        assert watch.follow().action is PauseAction.ADVANCE
        counted = watch.evidence.step_canary.requests
        throttle()
        eventually(lambda: look(watch) and watch.evidence.step_canary.requests > counted)
        assert look(watch).analysis.reason.startswith(
            "not everything could be read: Could not list the load balancers: Throttling"
        )
        aws.clear_faults()
        eventually(lambda: look(watch).action is PauseAction.ADVANCE)


def look(watch: Watch) -> Move:
    now = datetime.now(UTC)
    watch.look(now)
    return next_move(watch.evidence, now)


@pytest.mark.proof
def test_a_yes_is_not_followed_while_a_source_does_not_answer_and_not_where_another_shows_proof(
    shop: Shop, alarm: str, throttle: Callable[[], None]
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        asked = begin(shop, release, canary).evidence
        throttle()
        with pytest.raises(Unavailable, match=r"^Could not .*: Throttling.*\.$"):
            check_after_approval.fn(shop.environment, release, canary, canary.steps[0], asked)
        ring(shop, alarm)
        with pytest.raises(NotPromoted, match="though a person wanted it: an alarm began to ring"):
            check_after_approval.fn(shop.environment, release, canary, canary.steps[0], asked)
