from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from delivery.canary.counts import Counts, Period, Slow
from delivery.canary.evidence import Evidence
from delivery.canary.record import describe_end, describe_judgement, progress_percent, tabulate
from delivery.canary.settings import MinimumDetectableEffect
from delivery.canary.verdict import Verdict, judge_pause
from delivery.rollout.weights import WeightSource
from tests.environments import production_policy

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def observe(stable: Counts, canary: Counts, slow: Slow | None = None) -> Evidence:
    return Evidence.begin(production_policy(), 20, NOON).observe(Period(NOON, stable, canary, slow))


def test_the_journal_records_what_a_step_was_judged_on_and_the_weight_that_was_read_back() -> None:
    evidence = observe(Counts(80), Counts(20, 1))
    judgement = judge_pause(evidence, NOON + MINUTE)
    weight_sources = [WeightSource("listener rule 1", 20.0), WeightSource("the Rollout's status", None)]
    assert describe_judgement(evidence, judgement, weight_sources, NOON + MINUTE) == {
        "weight_percent": 20,
        "read_back": {"listener rule 1": 20.0, "the Rollout's status": None},
        "verdict": "inconclusive",
        "reason": judgement.line,
        "action": "wait",
        "unit": "each retry counts as a request",
        "periods": 1,
        "seconds": 60.0,
        "stable": {"requests": 80, "failures": 0},
        "canary": {"requests": 20, "failures": 1},
    }


def test_the_table_has_a_row_for_each_revision_and_the_canarys_has_the_likelihood_ratio_and_what_is_needed() -> None:
    evidence = observe(Counts(80, 2), Counts(20, 1), Slow(3, 4))
    stable, canary = tabulate(evidence, judge_pause(evidence, NOON + MINUTE))
    assert stable == {
        "revision": "stable",
        "requests": 80,
        "failures": 2,
        "failure rate": "2.50 %",
        "slow": 3,
        "evidence": "",
        "needed": "",
    }
    assert (canary["failure rate"], canary["slow"]) == ("5.00 %", 4)
    assert str(canary["evidence"]).endswith(" (FAIL at 100); each retry counts as a request")
    assert str(canary["needed"]).endswith(" more requests")


def test_an_effect_that_no_traffic_detects_needs_another_setting() -> None:
    effect = MinimumDetectableEffect(stable=0.02, canary=0.020001)
    evidence = Evidence.begin(replace(production_policy(), minimum_detectable_effect=effect), 20, NOON)
    assert tabulate(evidence, judge_pause(evidence, NOON))[1]["needed"] == (
        "this effect cannot be detected at this weight; set a larger minimum_detectable_effect"
    )


def test_the_end_of_a_canary_is_described_with_its_verdict_and_weight() -> None:
    failed = judge_pause(observe(Counts(400, 4), Counts(100, 40)), NOON + MINUTE)
    assert describe_end(20, failed).startswith("The canary failed at 20 %. Harm is proven: 40 of 100 requests to the")
    waited = judge_pause(observe(Counts(40), Counts(10)), NOON + 10 * production_policy().longest_pause)
    assert describe_end(20, waited).startswith("The canary was inconclusive at 20 %. No proof within 30m; ")


def test_after_a_verdict_nothing_more_is_needed_and_the_progress_is_complete() -> None:
    harmful = observe(Counts(400, 4), Counts(100, 40))
    judgement = judge_pause(harmful, NOON + MINUTE)
    assert judgement.analysis.verdict is Verdict.FAIL
    assert tabulate(harmful, judgement)[1]["needed"] == "nothing more"
    assert progress_percent(harmful, judgement, NOON + MINUTE) == 100.0


def test_the_table_does_not_show_missing_counts_as_zero() -> None:
    evidence = Evidence.begin(production_policy(), 20, NOON)
    rows = tabulate(evidence, judge_pause(evidence, NOON))
    assert [(row["failure rate"], row["slow"]) for row in rows] == [("no requests", "not counted")] * 2


@pytest.mark.parametrize(
    ("requests", "minutes", "percent"),
    [(0, 5, 0.0), (10_000, 5, 50.0), (10_000, 10, 100.0), (10_000, 30, 100.0)],
)
def test_the_progress_is_the_smaller_one_of_pause_and_requests(requests: int, minutes: int, percent: float) -> None:
    evidence = observe(Counts(requests * 4 // 5), Counts(requests // 5))
    now = NOON + minutes * MINUTE
    assert progress_percent(evidence, judge_pause(evidence, now), now) == percent


def test_missing_requests_limit_the_progress() -> None:
    evidence, now = observe(Counts(800), Counts(200)), NOON + 10 * MINUTE
    assert 10 < progress_percent(evidence, judge_pause(evidence, now), now) < 20
