"""Pauses that end on evidence."""

from dataclasses import replace

import pytest

from delivery.canary.counts import Counts
from delivery.canary.settings import OnInconclusive
from delivery.canary.verdict import PauseAction, Verdict, next_move, progress_line
from tests.delivery.canary.watched import HEALTHY, MINUTE, NOON, POLICY, watch


def test_a_pause_runs_to_its_floor_although_enough_was_seen() -> None:
    move = next_move(watch(*[HEALTHY] * 8), NOON + 8 * MINUTE)
    assert move.action is PauseAction.WAIT
    assert move.line == (
        "20 %: stable 6400, canary 1600 requests; requests enough to show failure rate 2 % -> 5 %; "
        "the pause runs until 12:10:00 UTC"
    )


def test_a_pause_ends_at_its_floor_on_proof() -> None:
    assert next_move(watch(*[HEALTHY] * 10), NOON + 10 * MINUTE).action is PauseAction.ADVANCE


def test_a_pause_ends_at_once_on_harm() -> None:
    assert next_move(watch((Counts(800, 8), Counts(200, 40))), NOON + MINUTE).action is PauseAction.ABORT


def test_a_success_rate_that_both_miss_is_judged_when_the_pause_has_run() -> None:
    evidence = watch((Counts(800, 400), Counts(200, 100)))
    early, late = next_move(evidence, NOON + MINUTE), next_move(evidence, NOON + 10 * MINUTE)
    assert (early.action, late.action) == (PauseAction.WAIT, PauseAction.ABORT)
    assert "so the pause runs to its end, unless the analysis in the cluster aborts it first" in early.line


def test_a_success_rate_that_the_canary_alone_misses_ends_the_pause_at_once() -> None:
    assert next_move(watch((Counts(), Counts(200, 100))), NOON + MINUTE).action is PauseAction.ABORT


def test_a_pause_stretches_while_requests_are_missing_and_says_until_when() -> None:
    evidence = watch(*[(Counts(160, 3), Counts(40, 1))] * 12)
    move = next_move(evidence, NOON + 12 * MINUTE)
    assert move.action is PauseAction.WAIT
    assert "more requests to both revisions needed to show failure rate 2 % -> 5 %, there at 12:" in move.line


def test_the_time_when_enough_will_be_there_follows_the_present_traffic() -> None:
    evidence = watch(*[(Counts(80), Counts(20))] * 10)
    missing = evidence.power_analysis.requests_missing(0.2) or 0
    assert progress_line(evidence, NOON + 10 * MINUTE).endswith(
        f"there at {NOON + 10 * MINUTE + missing / 100 * MINUTE:%H:%M:%S} UTC"
    )


@pytest.mark.parametrize(
    ("on_inconclusive", "action"),
    [
        (OnInconclusive.ROLLBACK, PauseAction.REVERT),
        (OnInconclusive.APPROVAL, PauseAction.ASK),
        (OnInconclusive.GUIDE, PauseAction.ADVANCE_BY_GUIDE),
    ],
)
def test_at_the_ceiling_the_policy_decides(on_inconclusive: OnInconclusive, action: PauseAction) -> None:
    evidence = watch(*[(Counts(8), Counts(2))] * 30, policy=replace(POLICY, on_inconclusive=on_inconclusive))
    move = next_move(evidence, NOON + 30 * MINUTE)
    assert move.action is action
    assert move.analysis.verdict is Verdict.INCONCLUSIVE
    assert move.line.startswith("no proof within 0:30:00: too few requests")


@pytest.mark.parametrize("canary", [Counts(2, 1), Counts()])
def test_the_guides_condition_alone_still_has_to_hold(canary: Counts) -> None:
    evidence = watch(
        *[(Counts(8), canary)] * 2, policy=replace(POLICY, on_inconclusive=OnInconclusive.GUIDE, pause=MINUTE)
    )
    assert next_move(evidence, NOON + 3 * MINUTE).action in (PauseAction.REVERT, PauseAction.ABORT)
