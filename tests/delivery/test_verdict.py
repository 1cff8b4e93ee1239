from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary import Counts, Period, Slow
from delivery.environment import SmallestHarm, WhenUnsure
from delivery.evidence import Evidence, Policy
from delivery.foresight import foresee
from delivery.verdict import Action, Verdict, judge, next_move, progress_line
from tests.environments import production_policy

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = replace(production_policy(), lateness=timedelta(0))
HEALTHY = (Counts(800, 16), Counts(200, 4))
Arms = tuple[Counts, Counts]


def watch(*arms: Arms, weight_percent: int = 20, policy: Policy = POLICY) -> Evidence:
    """The evidence after one period of a minute per pair of stable and canary."""
    periods = [Period(NOON + index * MINUTE, stable, canary) for index, (stable, canary) in enumerate(arms)]
    return reduce(Evidence.observe, periods, Evidence.begin(policy, weight_percent, NOON))


def verdict_of(*arms: Arms, weight_percent: int = 20, after: int | None = None) -> Verdict:
    evidence = watch(*arms, weight_percent=weight_percent)
    return judge(evidence, NOON + (len(arms) if after is None else after) * MINUTE).verdict


def test_a_healthy_step_passes_when_its_pause_has_run() -> None:
    assert verdict_of(*[HEALTHY] * 9) is Verdict.INCONCLUSIVE
    assert verdict_of(*[HEALTHY] * 10) is Verdict.PASS


def test_a_pass_says_what_it_rests_on() -> None:
    reason = judge(watch(*[HEALTHY] * 10), NOON + 10 * MINUTE).reason
    assert "requests succeeded" in reason
    assert "failure rate 2 % -> 5 % would have been found with probability 0.9" in reason


def test_a_harmful_canary_fails_before_its_pause_has_run() -> None:
    analysis = judge(watch(*[(Counts(800, 16), Counts(200, 10))] * 6), NOON + 6 * MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason.startswith("harm is proven: canary 60 of 1200 failed, stable 96 of 4800")


def test_a_slow_canary_fails_without_any_failure() -> None:
    period = Period(NOON, Counts(800), Counts(200), Slow(stable=40, canary=80))
    analysis = judge(Evidence.begin(POLICY, 20, NOON).observe(period), NOON + MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert "canary 0 of 200 failed, stable 0 of 800, slow were 80 and 40" in analysis.reason


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


def test_an_alarm_that_begins_to_ring_fails_the_step_by_its_name() -> None:
    evidence = watch(*[HEALTHY] * 10).see_alarms({"old": "since yesterday"})
    assert judge(evidence, NOON + 10 * MINUTE).verdict is Verdict.PASS
    analysis = judge(evidence.see_alarms({"old": "still", "new": "12 failed"}), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.FAIL
    assert analysis.reason == "an alarm began to ring during the canary: new (12 failed)"


def test_an_alarm_that_rang_and_rings_again_is_news() -> None:
    evidence = watch().see_alarms({"old": "first"}).see_alarms({}).see_alarms({"old": "again"})
    assert evidence.alarm == "old (again)"
    assert evidence.see_alarms({}).begin_step(40, NOON).alarm == "old (again)"


@pytest.mark.parametrize(
    ("arms", "reason"),
    [
        ((Counts(), Counts()), "no requests were counted for the new revision at 20 %"),
        ((Counts(20), Counts()), "no requests were counted for the new revision at 20 %"),
        ((Counts(), Counts(1)), "no requests were counted for the stable revision at 20 %"),
        ((Counts(8), Counts(2)), "too few requests"),
    ],
)
def test_without_evidence_a_step_is_inconclusive(arms: Arms, reason: str) -> None:
    analysis = judge(watch(arms), NOON + MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.reason.startswith(reason)


def test_no_periods_at_all_are_inconclusive() -> None:
    assert verdict_of(after=10) is Verdict.INCONCLUSIVE


def test_counts_that_ended_are_inconclusive_once_they_are_older_than_two_periods() -> None:
    assert verdict_of(*[HEALTHY] * 10, after=12) is Verdict.PASS
    assert verdict_of(*[HEALTHY] * 10, after=13) is Verdict.INCONCLUSIVE


def test_counts_may_be_as_late_as_the_policy_says() -> None:
    evidence = watch(*[HEALTHY] * 10, policy=replace(POLICY, lateness=3 * MINUTE))
    assert judge(evidence, NOON + 15 * MINUTE).verdict is Verdict.PASS
    assert judge(evidence, NOON + 16 * MINUTE).verdict is Verdict.INCONCLUSIVE


def test_a_source_that_errors_is_inconclusive_until_it_answers_again() -> None:
    evidence = watch(*[HEALTHY] * 10).cannot_read("Throttling")
    analysis = judge(evidence, NOON + 10 * MINUTE)
    assert (analysis.verdict, analysis.reason) == (
        Verdict.INCONCLUSIVE,
        "the counts could not be read: Throttling",
    )
    again = evidence.observe(Period(NOON + 10 * MINUTE, *HEALTHY))
    assert judge(again, NOON + 11 * MINUTE).verdict is Verdict.PASS


@pytest.mark.parametrize("counts", [Counts(200, 201), Counts(-1), Counts(200, float("nan"))])  # pyright: ignore
def test_what_cannot_be_counts_is_inconclusive_and_is_not_added(counts: Counts) -> None:
    before = watch(*[HEALTHY] * 9)
    evidence = before.observe(Period(NOON + 9 * MINUTE, Counts(800), counts))
    assert "no counts" in judge(evidence, NOON + 10 * MINUTE).reason
    assert replace(evidence, unreadable=None) == before


def test_an_arm_that_is_suddenly_not_counted_is_inconclusive_and_says_which() -> None:
    analysis = judge(watch(*[HEALTHY] * 9, (Counts(800, 16), Counts())), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert "nothing was counted for the new revision at 12:09:00" in analysis.reason


def test_an_arm_that_had_no_request_by_chance_is_idle() -> None:
    evidence = watch((Counts(8), Counts(2)), (Counts(3), Counts()))
    assert evidence.unreadable is None
    assert evidence.step_stable == Counts(11)


def test_a_weight_that_is_not_honoured_is_named_as_that() -> None:
    analysis = judge(watch(*[(Counts(1000, 20), Counts())] * 10), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.reason == ("the weight is not honoured: 0.00 % of 10000 requests reached the canary, weight 20 %")


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
    assert next_move(evidence, NOON + minutes * MINUTE).action not in (Action.ADVANCE, Action.ADVANCE_BY_GUIDE)


# What other judges were reported for.


def test_sparse_failures_of_one_arm_prove_neither_harm_nor_health() -> None:
    """kayenta#426, "Mann-Whitney with sparse data": 0, 1, 2, 1, 0, 0 failures against none; that judge passes it."""
    sparse = [Counts(100, failures) for failures in (0, 1, 2, 1, 0, 0)]
    healthy = [Counts(100)] * 6
    assert verdict_of(*zip(healthy, sparse, strict=True), weight_percent=50, after=6) is Verdict.INCONCLUSIVE
    assert verdict_of(*zip(sparse, healthy, strict=True), weight_percent=50, after=6) is Verdict.INCONCLUSIVE


def test_a_hundredfold_increase_in_most_periods_fails() -> None:
    """spinnaker#6278: baseline ten times 1, canary seven times 100 and three times 1; that judge passes it."""
    canary = [Counts(10_000, failures) for failures in [100] * 7 + [1] * 3]
    arms = [(Counts(10_000, 1), counts) for counts in canary]
    assert verdict_of(*arms[:1], weight_percent=50) is Verdict.FAIL
    assert verdict_of(*arms, weight_percent=50) is Verdict.FAIL


def test_an_empty_result_is_inconclusive_and_says_so() -> None:
    """argo-rollouts#1466: an empty result ends in "slice index out of range" and an aborted rollout."""
    move = next_move(watch(*[(Counts(), Counts())] * 10), NOON + 10 * MINUTE)
    assert (move.action, move.analysis.verdict) == (Action.WAIT, Verdict.INCONCLUSIVE)
    assert move.analysis.reason == "no requests were counted for the new revision at 20 %"


@pytest.mark.parametrize("when_unsure", WhenUnsure)
def test_measurements_that_all_err_never_promote(when_unsure: WhenUnsure) -> None:
    """argo-rollouts#4479: a run whose measurements are all in error is "Successful"."""
    begun = Evidence.begin(replace(POLICY, when_unsure=when_unsure), 20, NOON)
    evidence = reduce(lambda seen, why: seen.cannot_read(why), ["Errored"] * 30, begun)
    move = next_move(evidence, NOON + 30 * MINUTE)
    assert move.action in (Action.REVERT, Action.ASK)
    assert move.analysis.reason == "the counts could not be read: Errored"


def test_no_values_found_waits_and_then_reverts() -> None:
    """flagger#361: "no values found" for a canary without traffic."""
    evidence = watch()
    assert next_move(evidence, NOON + 29 * MINUTE).action is Action.WAIT
    assert next_move(evidence, NOON + 30 * MINUTE).action is Action.REVERT


# Pauses that end on evidence.


def test_a_pause_runs_to_its_floor_although_enough_was_seen() -> None:
    move = next_move(watch(*[HEALTHY] * 8), NOON + 8 * MINUTE)
    assert move.action is Action.WAIT
    assert move.line == (
        "20 %: stable 6400, canary 1600 requests; requests enough to show failure rate 2 % -> 5 %; "
        "the pause runs until 12:10:00"
    )


def test_a_pause_ends_at_its_floor_on_proof() -> None:
    assert next_move(watch(*[HEALTHY] * 10), NOON + 10 * MINUTE).action is Action.ADVANCE


def test_a_pause_ends_at_once_on_harm() -> None:
    assert next_move(watch((Counts(800, 8), Counts(200, 40))), NOON + MINUTE).action is Action.ABORT


def test_a_success_rate_that_both_miss_is_judged_when_the_pause_has_run() -> None:
    evidence = watch((Counts(800, 400), Counts(200, 100)))
    early, late = next_move(evidence, NOON + MINUTE), next_move(evidence, NOON + 10 * MINUTE)
    assert (early.action, late.action) == (Action.WAIT, Action.ABORT)
    assert early.line.endswith("the stable revision fails as well, so the pause runs to its end")


def test_a_success_rate_that_the_canary_alone_misses_ends_the_pause_at_once() -> None:
    assert next_move(watch((Counts(), Counts(200, 100))), NOON + MINUTE).action is Action.ABORT


def test_a_pause_stretches_while_requests_are_missing_and_says_until_when() -> None:
    evidence = watch(*[(Counts(160, 3), Counts(40, 1))] * 12)
    move = next_move(evidence, NOON + 12 * MINUTE)
    assert move.action is Action.WAIT
    assert "more requests needed to show failure rate 2 % -> 5 %, there at 12:" in move.line


def test_the_time_when_enough_will_be_there_follows_the_present_traffic() -> None:
    evidence = watch(*[(Counts(80), Counts(20))] * 10)
    missing = evidence.power.requests_missing(0.2) or 0
    assert progress_line(evidence, NOON + 10 * MINUTE).endswith(
        f"there at {NOON + 10 * MINUTE + missing / 100 * MINUTE:%H:%M:%S}"
    )


@pytest.mark.parametrize(
    ("when_unsure", "action"),
    [
        (WhenUnsure.REVERT, Action.REVERT),
        (WhenUnsure.ASK, Action.ASK),
        (WhenUnsure.GUIDE, Action.ADVANCE_BY_GUIDE),
    ],
)
def test_at_the_ceiling_the_policy_decides(when_unsure: WhenUnsure, action: Action) -> None:
    evidence = watch(*[(Counts(8), Counts(2))] * 30, policy=replace(POLICY, when_unsure=when_unsure))
    move = next_move(evidence, NOON + 30 * MINUTE)
    assert move.action is action
    assert move.analysis.verdict is Verdict.INCONCLUSIVE
    assert move.line.startswith("no proof within 0:30:00: too few requests")


@pytest.mark.parametrize("canary", [Counts(2, 1), Counts()])
def test_the_guides_condition_alone_still_has_to_hold(canary: Counts) -> None:
    evidence = watch(*[(Counts(8), canary)] * 2, policy=replace(POLICY, when_unsure=WhenUnsure.GUIDE, pause=MINUTE))
    assert next_move(evidence, NOON + 3 * MINUTE).action in (Action.REVERT, Action.ABORT)


def test_traffic_that_will_not_do_is_foreseen_with_the_choices() -> None:
    foreseen = foresee(POLICY, [20, 40, 60, 80], requests_per_second=2) or ""
    assert foreseen.startswith("At 20 % it takes 57")
    assert "at 2 requests/s 3600 come within 0:30:00" in foreseen
    assert "Choose a ceiling of 0:47:" in foreseen


def test_traffic_that_will_do_needs_no_words() -> None:
    assert foresee(POLICY, [20, 40, 60, 80], requests_per_second=3.5) is None


def test_no_traffic_before_the_release_is_foreseen_too() -> None:
    assert "Choose more traffic" in (foresee(POLICY, [20], requests_per_second=0) or "")


def test_a_larger_smallest_harm_makes_a_quiet_service_decidable() -> None:
    assert (
        foresee(replace(POLICY, smallest_harm=SmallestHarm(stable=0.02, canary=0.3)), [20], requests_per_second=0.5)
        is None
    )


def test_evidence_is_as_large_after_many_periods_as_after_one() -> None:
    assert len(repr(watch(*[HEALTHY] * 300))) < len(repr(watch(HEALTHY))) + 200
