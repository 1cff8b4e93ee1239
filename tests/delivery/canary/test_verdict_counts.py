"""Missing, late and invalid counts: they are never proof, and the reason names them."""

from dataclasses import replace

import pytest

from delivery.canary.counts import Counts, Period
from delivery.canary.verdict import Verdict, judge
from tests.delivery.canary.observations import HEALTHY, MINUTE, NOON, POLICY, CountsOfBoth, observe, verdict_of


def test_ambiguous_times_are_kept_only_for_periods_that_are_not_read_yet() -> None:
    ambiguous = observe(HEALTHY).mark_ambiguous(NOON).mark_ambiguous(NOON + MINUTE)
    assert ambiguous.ambiguous_at == (NOON + MINUTE,)
    assert ambiguous.begin_step(40, NOON + 2 * MINUTE).ambiguous_at == ambiguous.ambiguous_at


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ((Counts(), Counts()), "no requests were counted for the canary at 20 %"),
        ((Counts(20), Counts()), "no requests were counted for the canary at 20 %"),
        ((Counts(), Counts(1)), "no requests were counted for the stable revision at 20 %"),
        ((Counts(8), Counts(2)), "too few requests"),
    ],
)
def test_without_evidence_a_step_is_inconclusive(counts: CountsOfBoth, reason: str) -> None:
    analysis = judge(observe(counts), NOON + MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.reason.startswith(reason)


def test_a_step_without_periods_is_inconclusive() -> None:
    assert verdict_of(after=10) is Verdict.INCONCLUSIVE


def test_counts_are_stale_and_inconclusive_once_they_are_older_than_two_periods() -> None:
    assert verdict_of(*[HEALTHY] * 10, after=12) is Verdict.PASS
    assert verdict_of(*[HEALTHY] * 10, after=13) is Verdict.INCONCLUSIVE


def test_counts_within_the_lateness_of_the_policy_are_not_stale() -> None:
    evidence = observe(*[HEALTHY] * 10, policy=replace(POLICY, lateness=3 * MINUTE))
    assert judge(evidence, NOON + 15 * MINUTE).verdict is Verdict.PASS
    assert judge(evidence, NOON + 16 * MINUTE).verdict is Verdict.INCONCLUSIVE


def test_a_source_that_returns_errors_is_inconclusive_until_the_next_valid_period() -> None:
    evidence = observe(*[HEALTHY] * 10).mark_unreadable("Throttling")
    analysis = judge(evidence, NOON + 10 * MINUTE)
    assert (analysis.verdict, analysis.reason) == (
        Verdict.INCONCLUSIVE,
        "could not read: Throttling",
    )
    after = evidence.observe(Period(NOON + 10 * MINUTE, *HEALTHY))
    assert judge(after, NOON + 11 * MINUTE).verdict is Verdict.PASS


@pytest.mark.parametrize("counts", [Counts(200, 201), Counts(-1), Counts(200, float("nan"))])  # pyright: ignore
def test_invalid_counts_are_inconclusive_and_are_not_added(counts: Counts) -> None:
    before = observe(*[HEALTHY] * 9)
    evidence = before.observe(Period(NOON + 9 * MINUTE, Counts(800), counts))
    assert "the counts of the canary at 12:09:00 UTC are invalid: " in judge(evidence, NOON + 10 * MINUTE).reason
    assert replace(evidence, unreadable=None, read_until=before.read_until) == before


def test_a_revision_whose_counts_stop_is_inconclusive_and_is_named() -> None:
    analysis = judge(observe(*[HEALTHY] * 9, (Counts(800, 16), Counts())), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert "no requests were counted for the canary at 12:09:00 UTC, but the other revision has" in analysis.reason


def test_a_period_without_the_counts_of_one_revision_is_read_again_for_another_lateness() -> None:
    evidence = observe(policy=replace(POLICY, lateness=2 * MINUTE))
    half = Period(NOON, Counts(800, 16), Counts())
    reason = evidence.why_read_again(half, NOON + 4 * MINUTE) or ""
    assert reason.startswith(
        "no requests were counted for the canary at 12:00:00 UTC, but the other revision has counts"
    )
    assert reason.endswith("; the counts are late, waiting for them until 12:05:00 UTC")
    assert evidence.why_read_again(half, NOON + 5 * MINUTE) is None
    assert evidence.why_read_again(Period(NOON, *HEALTHY), NOON + 4 * MINUTE) is None


def test_a_period_without_any_counts_is_read_again_if_the_step_already_has_counts() -> None:
    policy = replace(POLICY, lateness=2 * MINUTE)
    silent = Period(NOON + MINUTE)
    assert observe(HEALTHY, policy=policy).why_read_again(silent, NOON + 5 * MINUTE) == (
        "no requests were counted at 12:01:00 UTC; the counts are late, waiting for them until 12:06:00 UTC"
    )
    assert observe(HEALTHY, policy=policy).why_read_again(silent, NOON + 6 * MINUTE) is None
    assert observe(policy=policy).why_read_again(silent, NOON + 5 * MINUTE) is None


def test_after_the_first_counts_of_a_revision_its_missing_counts_are_no_mismatch() -> None:
    missing = observe((Counts(800, 16), Counts()), (Counts(800, 16), Counts()))
    assert "sample-ratio mismatch" in judge(missing, NOON + 2 * MINUTE).reason
    counted = missing.observe(Period(NOON + 2 * MINUTE, *HEALTHY))
    assert judge(counted, NOON + 3 * MINUTE).reason.startswith("too few requests: ")


def test_a_period_without_any_requests_does_not_end_a_mismatch() -> None:
    analysis = judge(observe((Counts(800, 16), Counts()), (Counts(), Counts())), NOON + 2 * MINUTE)
    assert "sample-ratio mismatch" in analysis.reason


def test_a_revision_that_got_no_request_by_chance_is_not_missing() -> None:
    evidence = observe((Counts(8), Counts(2)), (Counts(3), Counts()))
    assert evidence.unreadable is None
    assert evidence.step_stable == Counts(11)


def test_a_weight_that_is_not_in_force_is_reported_as_a_mismatch() -> None:
    analysis = judge(observe(*[(Counts(1000, 20), Counts())] * 10), NOON + 10 * MINUTE)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.reason == ("sample-ratio mismatch: 0.00 % of 10000 requests went to the canary, its weight is 20 %")
