from datetime import UTC, datetime, timedelta

import pytest

from delivery.canary import Counts, Period, closed_periods, count_arm, describe_judgement, judge, periods_within
from delivery.verification import Verdict

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def minutes(*arms: tuple[Counts, Counts]) -> list[Period]:
    return [Period(NOON + index * MINUTE, stable, canary) for index, (stable, canary) in enumerate(arms)]


def verdict_of(*arms: tuple[Counts, Counts]) -> tuple[Verdict, str]:
    analysis = judge(minutes(*arms), min_success_rate=0.95)
    return analysis.verdict, analysis.reason


def test_a_step_passes_on_its_success_rate() -> None:
    verdict, reason = verdict_of((Counts(800, 4), Counts(200, 10)))
    assert verdict is Verdict.PASS
    assert reason == "95.00 % of 200 requests succeeded (wanted 95 %; stable revision 99.50 %)"


def test_a_step_below_the_success_rate_fails() -> None:
    assert verdict_of((Counts(800), Counts(200, 11)))[0] is Verdict.FAIL


def test_the_periods_of_a_step_are_judged_together() -> None:
    assert verdict_of((Counts(800), Counts(100, 10)), (Counts(800), Counts(100, 0)))[0] is Verdict.PASS


def test_a_step_without_periods_is_inconclusive() -> None:
    assert verdict_of() == (Verdict.INCONCLUSIVE, "no requests reached the new revision")


def test_a_step_without_requests_to_the_canary_is_inconclusive() -> None:
    assert verdict_of((Counts(800), Counts())) == (Verdict.INCONCLUSIVE, "no requests reached the new revision")


def test_a_step_without_requests_to_the_stable_revision_is_inconclusive() -> None:
    assert verdict_of((Counts(), Counts(200)))[0] is Verdict.INCONCLUSIVE


def test_a_good_step_whose_counts_ended_early_is_inconclusive() -> None:
    quiet = (Counts(), Counts())
    assert verdict_of((Counts(800), Counts(200)), quiet)[0] is Verdict.PASS
    assert verdict_of((Counts(800), Counts(200)), quiet, quiet)[0] is Verdict.INCONCLUSIVE


def test_a_bad_step_whose_counts_ended_early_has_failed() -> None:
    quiet = (Counts(), Counts())
    assert verdict_of((Counts(800), Counts(200, 100)), quiet, quiet)[0] is Verdict.FAIL


def test_a_request_without_an_answer_has_failed() -> None:
    assert count_arm(100, [80, 5, 10, 2]) == Counts(100, 5)


def test_answers_that_were_counted_before_their_requests_are_no_failures() -> None:
    assert count_arm(90, [100, 0, 0, 0]) == Counts(90, 0)


def test_only_whole_periods_of_a_pause_count() -> None:
    starts = periods_within(NOON + timedelta(seconds=10), NOON + timedelta(minutes=3, seconds=10), MINUTE)
    assert starts == (NOON + MINUTE, NOON + 2 * MINUTE)


@pytest.mark.parametrize(("passed", "closed"), [(2, 0), (3, 1), (4, 2)])
def test_a_period_without_data_closes_when_two_more_have_passed(passed: int, closed: int) -> None:
    periods = minutes((Counts(), Counts()), (Counts(), Counts()))
    assert len(closed_periods(periods, MINUTE, now=NOON + passed * MINUTE)) == closed


def test_a_period_closes_once_a_later_one_has_data() -> None:
    periods = minutes((Counts(5), Counts(5)), (Counts(5), Counts(5)))
    assert closed_periods(periods, MINUTE, now=NOON + 2 * MINUTE) == (periods[0],)


def test_the_journal_keeps_what_a_step_was_judged_on() -> None:
    analysis = judge([Period(NOON, Counts(80), Counts(20, 1))], min_success_rate=0.95)
    assert describe_judgement(20, 1, 15.04, analysis) == {
        "weight_percent": 20,
        "verdict": "pass",
        "reason": analysis.reason,
        "periods": 1,
        "seconds": 15.0,
        "stable": {"requests": 80, "failures": 0},
        "canary": {"requests": 20, "failures": 1},
    }
