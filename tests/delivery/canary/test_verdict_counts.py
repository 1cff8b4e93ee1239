"""Counts that are missing, late, or of nobody: never proof, and named as what they are."""

from dataclasses import replace

import pytest

from delivery.canary.counts import Counts, Period
from delivery.canary.verdict import Verdict, judge
from tests.delivery.canary.watched import HEALTHY, MINUTE, NOON, POLICY, Arms, verdict_of, watch


def test_when_nobody_could_tell_whose_counts_they_are_is_kept_for_what_is_still_to_be_read() -> None:
    unsure = watch(HEALTHY).cannot_tell(NOON).cannot_tell(NOON + MINUTE)
    assert unsure.unsure == (NOON + MINUTE,)
    assert unsure.begin_step(40, NOON + 2 * MINUTE).unsure == unsure.unsure


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
        "not everything could be read: Throttling",
    )
    again = evidence.observe(Period(NOON + 10 * MINUTE, *HEALTHY))
    assert judge(again, NOON + 11 * MINUTE).verdict is Verdict.PASS


@pytest.mark.parametrize("counts", [Counts(200, 201), Counts(-1), Counts(200, float("nan"))])  # pyright: ignore
def test_what_cannot_be_counts_is_inconclusive_and_is_not_added(counts: Counts) -> None:
    before = watch(*[HEALTHY] * 9)
    evidence = before.observe(Period(NOON + 9 * MINUTE, Counts(800), counts))
    assert "no counts" in judge(evidence, NOON + 10 * MINUTE).reason
    assert replace(evidence, unreadable=None, read_until=before.read_until) == before


def test_an_arm_that_is_suddenly_not_counted_is_inconclusive_and_says_which() -> None:
    analysis = judge(watch(*[HEALTHY] * 9, (Counts(800, 16), Counts())), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert "nothing was counted for the new revision at 12:09:00 UTC" in analysis.reason


def test_an_arm_whose_counts_are_late_is_awaited_for_as_long_again_and_named_as_late() -> None:
    evidence = watch(policy=replace(POLICY, lateness=2 * MINUTE))
    half = Period(NOON, Counts(800, 16), Counts())
    awaited = evidence.why_awaited(half, NOON + 4 * MINUTE) or ""
    assert awaited.startswith("nothing was counted for the new revision at 12:00:00 UTC, though the other had data: ")
    assert awaited.endswith("awaited until 12:05:00 UTC")
    assert evidence.why_awaited(half, NOON + 5 * MINUTE) is None
    assert evidence.why_awaited(Period(NOON, *HEALTHY), NOON + 4 * MINUTE) is None


def test_a_period_without_any_counts_is_awaited_once_the_step_has_counted_something() -> None:
    policy = replace(POLICY, lateness=2 * MINUTE)
    silent = Period(NOON + MINUTE)
    awaited = watch(HEALTHY, policy=policy).why_awaited(silent, NOON + 5 * MINUTE)
    assert awaited == "nothing was counted at 12:01:00 UTC: late, and awaited until 12:06:00 UTC"
    assert watch(HEALTHY, policy=policy).why_awaited(silent, NOON + 6 * MINUTE) is None
    assert watch(policy=policy).why_awaited(silent, NOON + 5 * MINUTE) is None


def test_an_arm_that_is_counted_at_last_was_late_and_its_weight_is_honoured() -> None:
    lacking = watch((Counts(800, 16), Counts()), (Counts(800, 16), Counts()))
    assert "the weight is not honoured" in judge(lacking, NOON + 2 * MINUTE).reason
    begun = lacking.observe(Period(NOON + 2 * MINUTE, *HEALTHY))
    assert judge(begun, NOON + 3 * MINUTE).reason.startswith("too few requests: ")


def test_a_period_without_any_requests_does_not_excuse_a_weight_that_is_not_honoured() -> None:
    analysis = judge(watch((Counts(800, 16), Counts()), (Counts(), Counts())), NOON + 2 * MINUTE)
    assert "the weight is not honoured" in analysis.reason


def test_an_arm_that_had_no_request_by_chance_is_idle() -> None:
    evidence = watch((Counts(8), Counts(2)), (Counts(3), Counts()))
    assert evidence.unreadable is None
    assert evidence.step_stable == Counts(11)


def test_a_weight_that_is_not_honoured_is_named_as_that() -> None:
    analysis = judge(watch(*[(Counts(1000, 20), Counts())] * 10), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.reason == ("the weight is not honoured: 0.00 % of 10000 requests reached the canary, weight 20 %")
