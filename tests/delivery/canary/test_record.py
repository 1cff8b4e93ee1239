from datetime import UTC, datetime, timedelta

import pytest

from delivery.canary.counts import Counts, Period, Slow
from delivery.canary.evidence import Evidence
from delivery.canary.record import describe_judgement, progress_percent, tabulate
from delivery.canary.verdict import Verdict, next_move
from delivery.rollout.weights import WeightSource
from tests.environments import production_policy

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def watched(stable: Counts, canary: Counts, slow: Slow | None = None) -> Evidence:
    return Evidence.begin(production_policy(), 20, NOON).observe(Period(NOON, stable, canary, slow))


def test_the_journal_keeps_what_a_step_was_judged_on_and_the_weight_that_was_read_back() -> None:
    evidence = watched(Counts(80), Counts(20, 1))
    move = next_move(evidence, NOON + MINUTE)
    weight_sources = [WeightSource("listener rule 1", 20.0), WeightSource("the Rollout's status", None)]
    assert describe_judgement(evidence, move, weight_sources, NOON + MINUTE) == {
        "weight_percent": 20,
        "read_back": {"listener rule 1": 20.0, "the Rollout's status": None},
        "verdict": "inconclusive",
        "reason": move.line,
        "action": "wait",
        "unit": "each retry counts as a request",
        "periods": 1,
        "seconds": 60.0,
        "stable": {"requests": 80, "failures": 0},
        "canary": {"requests": 20, "failures": 1},
    }


def test_the_table_has_a_row_for_each_arm_with_its_evidence_and_what_is_needed() -> None:
    evidence = watched(Counts(80, 2), Counts(20, 1), Slow(3, 4))
    stable, canary = tabulate(evidence, next_move(evidence, NOON + MINUTE))
    assert stable == {
        "arm": "stable",
        "requests": 80,
        "failures": 2,
        "rate": "2.50 %",
        "slow": 3,
        "evidence": "",
        "needed": "",
    }
    assert (canary["rate"], canary["slow"]) == ("5.00 %", 4)
    assert str(canary["evidence"]).endswith(" for harm, proof from 100; each retry counts as a request")
    assert str(canary["needed"]).endswith(" more requests")


def test_after_a_verdict_nothing_is_needed_and_the_step_is_at_its_end() -> None:
    harmful = watched(Counts(400, 4), Counts(100, 40))
    move = next_move(harmful, NOON + MINUTE)
    assert move.analysis.verdict is Verdict.FAIL
    assert tabulate(harmful, move)[1]["needed"] == "nothing more"
    assert progress_percent(harmful, move, NOON + MINUTE) == 100.0


def test_what_nobody_counted_is_not_zero() -> None:
    evidence = Evidence.begin(production_policy(), 20, NOON)
    rows = tabulate(evidence, next_move(evidence, NOON))
    assert [(row["rate"], row["slow"]) for row in rows] == [("no requests", "not counted")] * 2


@pytest.mark.parametrize(
    ("requests", "minutes", "percent"),
    [(0, 5, 0.0), (10_000, 5, 50.0), (10_000, 10, 100.0), (10_000, 30, 100.0)],
)
def test_a_step_is_as_far_as_its_pause_and_its_requests_are(requests: int, minutes: int, percent: float) -> None:
    evidence = watched(Counts(requests * 4 // 5), Counts(requests // 5))
    now = NOON + minutes * MINUTE
    assert progress_percent(evidence, next_move(evidence, now), now) == percent


def test_requests_that_are_missing_hold_the_progress_back() -> None:
    evidence, now = watched(Counts(800), Counts(200)), NOON + 10 * MINUTE
    assert 10 < progress_percent(evidence, next_move(evidence, now), now) < 20
