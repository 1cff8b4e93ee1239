import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary.counts import Counts, Period, Slow
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import PauseAction, Verdict, describe_pending_approval, judge, next_move
from tests.delivery.canary.watched import HEALTHY, MINUTE, NOON, POLICY, Arms, verdict_of, watch


def counted(most: int) -> st.SearchStrategy[Counts]:
    """At least one request, so that no arm is missing."""
    return st.integers(1, most).flatmap(lambda requests: st.builds(Counts, st.just(requests), st.integers(0, requests)))


def test_a_healthy_step_passes_when_its_pause_has_run() -> None:
    assert verdict_of(*[HEALTHY] * 9) is Verdict.INCONCLUSIVE
    assert verdict_of(*[HEALTHY] * 10) is Verdict.PASS


def test_a_pass_says_what_it_rests_on() -> None:
    reason = judge(watch(*[HEALTHY] * 10), NOON + 10 * MINUTE).reason
    assert "of the canary's 2000 requests in this release succeeded" in reason
    assert "failure rate 2 % -> 5 % would have been found with probability 0.9" in reason


def test_a_harmful_canary_fails_before_its_pause_has_run() -> None:
    analysis = judge(watch(*[(Counts(800, 16), Counts(200, 10))] * 6), NOON + 6 * MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason.startswith("harm is proven: canary 60 of 1200 failed, stable 96 of 4800")


def test_a_slow_canary_fails_without_any_failure() -> None:
    period = Period(NOON, Counts(800), Counts(200), Slow(stable=40, canary=80))
    analysis = judge(Evidence.begin(POLICY, 20, NOON).observe(period), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert "canary 0 of 200 failed, stable 0 of 800; slow: canary 80, stable 40" in analysis.reason


def test_failures_of_everybody_do_not_blame_the_canary_but_the_success_rate_speaks() -> None:
    analysis = judge(watch((Counts(800, 400), Counts(200, 100))), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason.startswith("the success rate is below the limit: 50")


def test_the_same_success_rate_of_few_requests_is_not_refuted() -> None:
    few = judge(watch((Counts(40, 4), Counts(10, 1))), NOON + MINUTE)
    assert few.verdict is Verdict.INCONCLUSIVE
    assert verdict_of((Counts(8000, 800), Counts(2000, 200))) is Verdict.FAIL


def test_a_success_rate_that_is_not_met_never_passes() -> None:
    evidence = watch(*[(Counts(800, 41), Counts(200, 10))] * 9, (Counts(800, 41), Counts(200, 11)))
    analysis = judge(evidence, NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert "not met, and not yet refuted" in analysis.reason


def test_pods_that_crash_fail_the_step_with_their_reason() -> None:
    evidence = watch(*[HEALTHY] * 10).pods_broke("CrashLoopBackOff: no configuration")
    assert judge(evidence, NOON + 10 * MINUTE).reason.endswith("CrashLoopBackOff: no configuration")
    assert judge(evidence, NOON + 10 * MINUTE).verdict is Verdict.FAIL


def test_a_verdict_that_changes_while_a_person_is_asked_leaves_the_decision_to_them() -> None:
    proved, later = watch(*[HEALTHY] * 10), NOON + 20 * MINUTE
    now = describe_pending_approval(proved, judge(proved, NOON + 10 * MINUTE))
    assert now.startswith("20 %: there is proof for the canary now: 9")
    assert now.endswith("; a person was asked, and decides")
    assert describe_pending_approval(proved, judge(proved, later)).startswith(
        "20 %: there is no proof any more: the counts ended at"
    )


def test_an_alarm_that_begins_to_ring_fails_the_step_by_its_name() -> None:
    evidence = watch(*[HEALTHY] * 10).see_alarms({"old": "since yesterday"})
    assert judge(evidence, NOON + 10 * MINUTE).verdict is Verdict.PASS
    analysis = judge(evidence.see_alarms({"old": "still", "new": "12 failed"}), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason == "an alarm began to ring during the canary: new (12 failed)"


def test_an_alarm_that_the_canary_set_off_before_the_first_look_is_news() -> None:
    evidence = Evidence.begin(POLICY, 20, NOON, firing_alarms=frozenset({"old"}))
    assert evidence.see_alarms({"old": "since yesterday"}).alarm is None
    assert evidence.see_alarms({"old": "since yesterday", "new": "12 failed"}).alarm == "new (12 failed)"


def test_an_alarm_that_rang_and_rings_again_is_news() -> None:
    evidence = watch().see_alarms({"old": "first"}).see_alarms({}).see_alarms({"old": "again"})
    assert evidence.alarm == "old (again)"
    assert evidence.see_alarms({}).begin_step(40, NOON).alarm == "old (again)"


def test_harm_is_proven_even_where_the_weight_is_not_honoured() -> None:
    analysis = judge(watch((Counts(400, 8), Counts(600, 60))), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert "besides, 60.00 % of 1000 requests reached the canary, weight 20 %" in analysis.reason


def test_harm_proved_in_an_earlier_step_fails_every_later_one() -> None:
    later = watch((Counts(800, 8), Counts(200, 40))).begin_step(40, NOON + MINUTE)
    assert judge(later.observe(Period(NOON + MINUTE, Counts(60_000), Counts(40_000))), NOON + 2 * MINUTE).verdict is (
        Verdict.FAIL
    )


def test_requests_of_earlier_steps_count_towards_proof() -> None:
    second = watch(*[HEALTHY] * 10).begin_step(40, NOON + 10 * MINUTE)
    second = second.observe(Period(NOON + 10 * MINUTE, Counts(60, 1), Counts(40, 1)))
    assert judge(second, NOON + 11 * MINUTE).reason.startswith("the pause runs until 12:20:00")


def test_a_step_without_requests_of_its_own_does_not_pass_on_earlier_ones() -> None:
    second = watch(*[HEALTHY] * 10).begin_step(40, NOON + 10 * MINUTE)
    assert judge(second, NOON + 20 * MINUTE).verdict is Verdict.INCONCLUSIVE


@given(
    arms=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30),
    minutes=st.integers(0, 60),
)
def test_a_handful_of_requests_never_promotes(arms: list[tuple[int, int]], minutes: int) -> None:
    evidence = watch(*[(Counts(stable), Counts(canary)) for stable, canary in arms])
    assert next_move(evidence, NOON + minutes * MINUTE).action not in (
        PauseAction.ADVANCE,
        PauseAction.ADVANCE_BY_GUIDE,
    )


def test_evidence_is_as_large_after_many_periods_as_after_one() -> None:
    assert len(repr(watch(*[HEALTHY] * 300))) < len(repr(watch(HEALTHY))) + 200


def judged_on(evidence: Evidence) -> list[float]:
    """All that a verdict is drawn from, but for the highest reading, which is of the readings and not of the counts."""
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
    arms=st.lists(st.tuples(counted(200), counted(100)), max_size=6).flatmap(
        lambda arms: st.tuples(st.just(arms), st.permutations(arms))
    )
)
def test_the_order_of_the_periods_within_a_step_does_not_matter(arms: tuple[list[Arms], list[Arms]]) -> None:
    one, other = (judged_on(watch(*order, weight_percent=40)) for order in arms)
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


@given(weight_percent=st.integers(1, 99), periods=st.integers(1, 40), failing_percent=st.integers(0, 100))
def test_healthy_data_alone_never_proves_harm_at_any_weight(
    weight_percent: int, periods: int, failing_percent: int
) -> None:
    arms = tuple(Counts(100 * share, share * failing_percent) for share in (100 - weight_percent, weight_percent))
    evidence = watch(*[(arms[0], arms[1])] * periods, weight_percent=weight_percent)
    assert evidence.harm.highest == 0
    assert not evidence.harm.is_proven(POLICY.alpha)


@pytest.mark.parametrize("weight_percent", [1, 20, 50, 80, 99])
def test_harm_is_proven_at_any_weight_once_there_are_requests_enough(weight_percent: int) -> None:
    stable, canary = 1000 * (100 - weight_percent), 1000 * weight_percent
    arms = (Counts(stable, stable // 50), Counts(canary, canary // 20))
    assert verdict_of(arms, weight_percent=weight_percent) is Verdict.FAIL
