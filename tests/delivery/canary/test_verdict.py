import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary.counts import Counts, Period, Slow
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import PauseAction, Verdict, describe_pending_approval, judge, judge_pause
from tests.delivery.canary.observations import HEALTHY, MINUTE, NOON, POLICY, CountsOfBoth, observe, verdict_of


def counted(most: int) -> st.SearchStrategy[Counts]:
    """At least one request, so that neither revision is without counts."""
    return st.integers(1, most).flatmap(lambda requests: st.builds(Counts, st.just(requests), st.integers(0, requests)))


def test_a_healthy_step_passes_after_the_shortest_pause() -> None:
    assert verdict_of(*[HEALTHY] * 9) is Verdict.INCONCLUSIVE
    assert verdict_of(*[HEALTHY] * 10) is Verdict.PASS


def test_a_pass_names_its_evidence() -> None:
    reason = judge(observe(*[HEALTHY] * 10), NOON + 10 * MINUTE).reason
    assert reason.startswith("success rate 9")
    assert " of 2000 requests in this release (99 % confidence interval 9" in reason
    assert ", minimum 95 %); " in reason
    assert "enough requests to detect an increase of the failure rate from 2 % to 5 % with power 0.9; " in reason


def test_a_harmful_canary_fails_before_the_end_of_its_pause() -> None:
    analysis = judge(observe(*[(Counts(800, 16), Counts(200, 10))] * 6), NOON + 6 * MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason.startswith(
        "harm is proven: 60 of 1200 requests to the canary failed, 96 of 4800 to the stable revision; "
    )
    assert re.search(r"; likelihood ratio for harm \d+,\d{3} \(FAIL at 100\)$", analysis.reason)


def test_a_slow_canary_fails_without_any_failure() -> None:
    period = Period(NOON, Counts(800), Counts(200), Slow(stable=40, canary=80))
    analysis = judge(Evidence.begin(POLICY, 20, NOON).observe(period), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert "0 of 200 requests to the canary failed, 0 of 800 to the stable revision; " in analysis.reason
    assert "80 requests to the canary were slow, 40 to the stable revision; " in analysis.reason


def test_equal_failures_of_both_revisions_fail_only_by_the_success_rate() -> None:
    analysis = judge(observe((Counts(800, 400), Counts(200, 100))), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason.startswith("the success rate is below the minimum: 50")


def test_the_same_success_rate_of_few_requests_is_not_refuted() -> None:
    few = judge(observe((Counts(40, 4), Counts(10, 1))), NOON + MINUTE)
    assert few.verdict is Verdict.INCONCLUSIVE
    assert verdict_of((Counts(8000, 800), Counts(2000, 200))) is Verdict.FAIL


def test_a_success_rate_below_the_minimum_never_passes() -> None:
    evidence = observe(*[(Counts(800, 41), Counts(200, 10))] * 9, (Counts(800, 41), Counts(200, 11)))
    analysis = judge(evidence, NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.reason.startswith("the success rate is below the minimum, but this is not proven yet: 94.95 %")


def test_pods_that_crash_fail_the_step_and_give_the_reason() -> None:
    evidence = observe(*[HEALTHY] * 10).mark_broken("CrashLoopBackOff: no configuration")
    assert judge(evidence, NOON + 10 * MINUTE).reason.endswith("CrashLoopBackOff: no configuration")
    assert judge(evidence, NOON + 10 * MINUTE).verdict is Verdict.FAIL


def test_a_verdict_that_changes_during_an_approval_does_not_replace_the_decision() -> None:
    proven, later = observe(*[HEALTHY] * 10), NOON + 20 * MINUTE
    line = describe_pending_approval(proven, judge(proven, NOON + 10 * MINUTE))
    assert line.startswith("20 %: there is proof for the canary now: success rate 9")
    assert line.endswith("; the approval is still pending")
    assert describe_pending_approval(proven, judge(proven, later)).startswith(
        "20 %: there is no longer proof: no CloudWatch data since 12:10:00 UTC; before that, success rate "
    )


def test_an_alarm_that_goes_into_alarm_fails_the_step_and_is_named() -> None:
    evidence = observe(*[HEALTHY] * 10).update_alarms({"old": "since yesterday"})
    assert judge(evidence, NOON + 10 * MINUTE).verdict is Verdict.PASS
    analysis = judge(evidence.update_alarms({"old": "still", "new": "12 failed"}), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason == "an alarm entered ALARM during the canary: new (12 failed)"


def test_an_alarm_that_goes_into_alarm_between_the_start_and_the_first_check_counts() -> None:
    evidence = Evidence.begin(POLICY, 20, NOON, firing_alarms=frozenset({"old"}))
    assert evidence.update_alarms({"old": "since yesterday"}).new_alarm is None
    assert evidence.update_alarms({"old": "since yesterday", "new": "12 failed"}).new_alarm == "new (12 failed)"


def test_an_alarm_that_leaves_alarm_and_enters_it_again_counts() -> None:
    evidence = observe().update_alarms({"old": "first"}).update_alarms({}).update_alarms({"old": "again"})
    assert evidence.new_alarm == "old (again)"
    assert evidence.update_alarms({}).begin_step(40, NOON).new_alarm == "old (again)"


def test_harm_is_proven_despite_a_sample_ratio_mismatch() -> None:
    analysis = judge(observe((Counts(400, 8), Counts(600, 60))), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason.endswith(
        "; there is also a sample-ratio mismatch: 60.00 % of 1000 requests went to the canary, its weight is 20 %"
    )


def test_harm_that_was_proven_in_an_earlier_step_fails_every_later_one() -> None:
    later = observe((Counts(800, 8), Counts(200, 40))).begin_step(40, NOON + MINUTE)
    assert judge(later.observe(Period(NOON + MINUTE, Counts(60_000), Counts(40_000))), NOON + 2 * MINUTE).verdict is (
        Verdict.FAIL
    )


def test_requests_of_earlier_steps_count_towards_proof() -> None:
    second = observe(*[HEALTHY] * 10).begin_step(40, NOON + 10 * MINUTE)
    second = second.observe(Period(NOON + 10 * MINUTE, Counts(60, 1), Counts(40, 1)))
    assert judge(second, NOON + 11 * MINUTE).reason.startswith("earliest promotion at 12:20:00 UTC; ")


def test_a_step_without_requests_of_its_own_does_not_pass_on_earlier_ones() -> None:
    second = observe(*[HEALTHY] * 10).begin_step(40, NOON + 10 * MINUTE)
    assert judge(second, NOON + 20 * MINUTE).verdict is Verdict.INCONCLUSIVE


@given(
    requests=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30),
    minutes=st.integers(0, 60),
)
def test_a_few_requests_are_never_enough_for_a_promotion(requests: list[tuple[int, int]], minutes: int) -> None:
    evidence = observe(*[(Counts(stable), Counts(canary)) for stable, canary in requests])
    assert judge_pause(evidence, NOON + minutes * MINUTE).action not in (
        PauseAction.PROMOTE,
        PauseAction.PROMOTE_BY_GUIDE,
    )


def test_evidence_is_as_large_after_many_periods_as_after_one() -> None:
    assert len(repr(observe(*[HEALTHY] * 300))) < len(repr(observe(HEALTHY))) + 200


def judged_on(evidence: Evidence) -> list[float]:
    """All numbers that a verdict is based on, except the highest evidence, which depends on the order of periods."""
    counts = [evidence.canary, evidence.step_stable, evidence.step_canary]
    numbers = [float(number) for found in counts for number in (found.requests, found.failures)]
    return [
        *numbers,
        evidence.harm.log_evidence,
        evidence.non_inferiority.log_evidence,
        evidence.sample_ratio.log_evidence,
        *evidence.power_analysis.means,
        *evidence.power_analysis.variances,
    ]


@given(
    counts=st.lists(st.tuples(counted(200), counted(100)), max_size=6).flatmap(
        lambda counts: st.tuples(st.just(counts), st.permutations(counts))
    )
)
def test_the_order_of_the_periods_within_a_step_does_not_matter(
    counts: tuple[list[CountsOfBoth], list[CountsOfBoth]],
) -> None:
    one, other = (judged_on(observe(*order, weight_percent=40)) for order in counts)
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


@given(weight_percent=st.integers(1, 99), periods=st.integers(1, 40), failing_percent=st.integers(0, 100))
def test_equal_failure_rates_never_prove_harm_at_any_weight(
    weight_percent: int, periods: int, failing_percent: int
) -> None:
    counts = tuple(Counts(100 * share, share * failing_percent) for share in (100 - weight_percent, weight_percent))
    evidence = observe(*[(counts[0], counts[1])] * periods, weight_percent=weight_percent)
    assert evidence.harm.highest == 0
    assert not evidence.harm.is_proven(POLICY.alpha)


@pytest.mark.parametrize("weight_percent", [1, 20, 50, 80, 99])
def test_harm_is_proven_at_any_weight_with_enough_requests(weight_percent: int) -> None:
    stable, canary = 1000 * (100 - weight_percent), 1000 * weight_percent
    counts = (Counts(stable, stable // 50), Counts(canary, canary // 20))
    assert verdict_of(counts, weight_percent=weight_percent) is Verdict.FAIL
