"""What a canary step is judged on besides the counts; checks after an approval; sources that do not answer."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.application.planning import CanaryRun
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import Judgement, PauseAction, Verdict, judge_pause
from delivery.context import ReleaseContext
from delivery.errors import NotPromoted, Unavailable
from delivery.fields import format_duration
from delivery.release import Event
from delivery.rollout.manifests import HASH_LABEL
from delivery.rollout.weights import find_target_groups
from sandbox.aws.client import client
from sandbox.testing import eventually
from tasks.canary.start import confirm_promoted
from tasks.canary.watch import Watch, check_after_approval
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tests.aws import ALARM, SandboxAws
from tests.lossy import lossy_kubeconfig
from tests.shop import Shop
from tests.tasks.canaries import install, reach_first_pause


@pytest.fixture
def alarm(shop: Shop) -> Iterator[str]:
    """The name of an alarm of the environment that is not in ALARM."""
    name = f"{shop.environment.prefix}-{shop.namespace}"
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    yield name
    cloudwatch.delete_alarms(AlarmNames=[name])


def set_in_alarm(shop: Shop, alarm: str) -> None:
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="12 failed")


def begin(shop: Shop, context: ReleaseContext, canary: CanaryRun) -> Watch:
    return Watch.begin(connect_rollout(shop.environment), context, canary, canary.steps[0], None)


def test_an_alarm_that_went_into_alarm_during_the_approval_overrides_it(shop: Shop, alarm: str) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        evidence = begin(shop, context, canary).evidence
        set_in_alarm(shop, alarm)
        with pytest.raises(NotPromoted) as stopped:
            check_after_approval.fn(context, canary, canary.steps[0], evidence)
    assert stopped.value.is_failure
    assert str(stopped.value) == (
        "The canary failed at 30 %. An alarm entered ALARM during the canary: "
        f"{alarm} (12 failed). This overrides the approval."
    )
    (judged,) = [
        record.detail for record in read_journal(shop.environment, context.release.number) if is_judgement(record)
    ]
    assert judged["verdict"] == "fail"


def is_judgement(record) -> bool:
    return record.event is Event.JUDGED


def test_requests_during_an_approval_are_evidence(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context, shop.users():
        _, canary = reach_first_pause(shop, context)
        before = begin(shop, context, canary).evidence

        def check() -> Evidence:
            evidence, judgement = check_after_approval.fn(context, canary, canary.steps[0], before)
            assert judgement.analysis.verdict is not Verdict.FAIL
            return evidence

        eventually(lambda: check().step_canary.requests)
        evidence = check()
    assert evidence.read_until > before.read_until
    assert evidence.step_stable.requests > evidence.step_canary.requests


def test_proof_for_a_canary_during_an_approval_is_reported_once_and_does_not_promote_it(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="slipway")
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context, shop.users():
        _, canary = reach_first_pause(shop, context)
        watch = begin(shop, context, canary)
        assert watch.run_pause().action is PauseAction.PROMOTE
        caplog.clear()
        watch.check_during_approval()
        watch.check_during_approval()
    (line,) = caplog.messages
    assert line.startswith("30 %: there is proof for the canary now: ")
    assert line.endswith("; the approval is still pending")


def test_a_canary_without_its_pods_for_the_mismatch_deadline_fails(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        watch, complete = begin(shop, context, canary), live.read()
        unavailable = tuple(replace(found, available=0) for found in complete.replica_sets)
        without_pods = replace(complete, replica_sets=unavailable, pods=())
        start, limit = watch.evidence.started_at, shop.environment.canary.mismatch_deadline
        checks = (without_pods, start), (complete, start + limit / 2), (without_pods, start + limit)
        for snapshot, now in checks:
            watch.check_rollout(snapshot, now)
        assert watch.evidence.broken is None  # The pods were available at the second check.
        watch.check_rollout(without_pods, start + 2 * limit)
        assert watch.evidence.broken == f"for {format_duration(limit)}, 0 of 1 pods are available"


def test_counts_are_not_judged_while_a_service_selects_another_revision(shop: Shop) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context, shop.users():
        live, canary = reach_first_pause(shop, context)
        watch = begin(shop, context, canary)
        observation = live.observe()
        target_groups = observation.find_counted_target_groups(canary.stable_hash, canary.canary_hash)
        assert target_groups == find_target_groups(live.rollout_spec, observation.bindings)
        selected = live.read_object("Service", "green")["spec"]["selector"]
        assert selected[HASH_LABEL] == canary.canary_hash
        # As if the Service selected a revision that is not this release's.
        watch.canary = CanaryRun(canary.stable_hash, "6c9f8d7b5", canary.image, canary.steps)
        with pytest.raises(
            Exception, match="It is unknown which revision got the counted requests: Service blue selects "
        ):
            watch.find_target_groups(observation, watch.evidence.started_at)
        assert watch.evidence.ambiguous_at == (watch.evidence.started_at,)


def test_a_check_of_a_canary_reads_each_object_once(shop: Shop, tmp_path: Path) -> None:
    install(shop, shop.push("a"))
    aws = SandboxAws(shop.sandbox.addresses.aws)
    with (
        shop.release(shop.push("b")) as context,
        lossy_kubeconfig(shop.sandbox.state / "kubeconfig", tmp_path) as (kubeconfig, connection),
    ):
        _, canary = reach_first_pause(shop, context)
        watch = Watch.begin(connect_rollout(shop.through(kubeconfig)), context, canary, canary.steps[0], None)
        watch.check_sources(datetime.now(UTC))
        connection.reads.clear()
        aws.fault(kind="slow", seconds=0, match="elasticloadbalancing:*", caller="operator")
        assert watch.check_sources(datetime.now(UTC)) is None
        calls = Counter(hit["at"].partition(":")[2] for hit in aws.hits())
        aws.clear_faults()
    once = {"ingresses/front", "pods", "replicasets", "rollouts/till", "services/blue", "services/green"}
    paths = (path.partition("?")[0].partition(f"/namespaces/{shop.namespace}/")[2] for path in connection.reads)
    assert Counter(paths) == dict.fromkeys(once | {"targetgroupbindings"}, 1)
    assert calls == {"DescribeLoadBalancers": 1, "DescribeListeners": 1, "DescribeRules": 1}


def test_an_alarm_that_goes_into_alarm_after_the_last_pause_is_named(shop: Shop, alarm: str) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        set_in_alarm(shop, alarm)
        message = (
            rf"entered ALARM after the last pause of Rollout till: {alarm} \(12 failed\)\. The weights in its status"
        )
        with pytest.raises(NotPromoted, match=message):
            confirm_promoted.fn(shop.environment, canary)


@pytest.fixture
def throttle(aws: SandboxAws) -> Callable[[], None]:
    """From its call on, the API of the load balancer throttles all requests of the release."""
    return lambda: aws.fault(kind="throttle", match="elasticloadbalancing:*", caller="operator")


@pytest.mark.proof
def test_a_load_balancer_that_does_not_answer_hides_no_alarm(
    shop: Shop, alarm: str, throttle: Callable[[], None]
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        watch = begin(shop, context, canary)
        throttle()
        set_in_alarm(shop, alarm)
        watch.check(datetime.now(UTC))
    judgement = judge_pause(watch.evidence, datetime.now(UTC))
    assert (judgement.action, judgement.line) == (
        PauseAction.ABORT,
        f"an alarm entered ALARM during the canary: {alarm} (12 failed)",
    )
    assert "Throttling" in (watch.evidence.unreadable or "")


@pytest.mark.proof
def test_a_load_balancer_that_does_not_answer_hides_no_counts_and_promotes_nothing(
    shop: Shop, aws: SandboxAws, throttle: Callable[[], None]
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context, shop.users():
        _, canary = reach_first_pause(shop, context)
        watch = begin(shop, context, canary)
        assert watch.run_pause().action is PauseAction.PROMOTE
        counted = watch.evidence.step_canary.requests
        throttle()
        eventually(lambda: check(watch) and watch.evidence.step_canary.requests > counted)
        assert check(watch).analysis.reason.startswith("could not read: Could not list the load balancers: Throttling")
        aws.clear_faults()
        eventually(lambda: check(watch).action is PauseAction.PROMOTE)


def check(watch: Watch) -> Judgement:
    now = datetime.now(UTC)
    watch.check(now)
    return judge_pause(watch.evidence, now)


@pytest.mark.proof
def test_an_approval_does_not_promote_if_a_source_does_not_answer_or_another_one_has_proof(
    shop: Shop, alarm: str, throttle: Callable[[], None]
) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        before = begin(shop, context, canary).evidence
        throttle()
        with pytest.raises(Unavailable, match=r"^Could not .*: Throttling.*\.$"):
            check_after_approval.fn(context, canary, canary.steps[0], before)
        set_in_alarm(shop, alarm)
        with pytest.raises(NotPromoted, match=r"An alarm entered ALARM .*\. This overrides the approval\."):
            check_after_approval.fn(context, canary, canary.steps[0], before)
