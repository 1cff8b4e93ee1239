"""When a pause ends, and how."""

from dataclasses import replace

import pytest

from delivery.canary.counts import Counts
from delivery.canary.settings import MinimumDetectableEffect, OnInconclusive
from delivery.canary.verdict import PauseAction, Verdict, judge_pause, progress_line
from tests.delivery.canary.observations import HEALTHY, MINUTE, NOON, POLICY, observe


def test_a_pause_with_enough_requests_still_runs_for_the_shortest_time() -> None:
    judgement = judge_pause(observe(*[HEALTHY] * 8), NOON + 8 * MINUTE)
    assert judgement.action is PauseAction.WAIT
    assert judgement.line == (
        "20 %: 6400 requests to the stable revision, 1600 to the canary; "
        "enough requests to detect an increase of the failure rate from 2 % to 5 %; earliest promotion at 12:10:00 UTC"
    )


def test_with_proof_a_pause_ends_after_the_shortest_time() -> None:
    assert judge_pause(observe(*[HEALTHY] * 10), NOON + 10 * MINUTE).action is PauseAction.PROMOTE


def test_a_pause_ends_at_once_on_harm() -> None:
    assert judge_pause(observe((Counts(800, 8), Counts(200, 40))), NOON + MINUTE).action is PauseAction.ABORT


def test_a_success_rate_that_both_revisions_miss_is_judged_after_the_shortest_pause() -> None:
    evidence = observe((Counts(800, 400), Counts(200, 100)))
    early, late = judge_pause(evidence, NOON + MINUTE), judge_pause(evidence, NOON + 10 * MINUTE)
    assert (early.action, late.action) == (PauseAction.WAIT, PauseAction.ABORT)
    assert early.line.endswith(
        "; the stable revision is below the minimum too, so the pause runs until 12:10:00 UTC, "
        "unless the analysis in the cluster aborts the canary first"
    )


def test_a_success_rate_that_only_the_canary_misses_ends_the_pause_at_once() -> None:
    assert judge_pause(observe((Counts(), Counts(200, 100))), NOON + MINUTE).action is PauseAction.ABORT


def test_a_pause_is_extended_while_requests_are_missing_and_says_until_when() -> None:
    evidence = observe(*[(Counts(160, 3), Counts(40, 1))] * 12)
    judgement = judge_pause(evidence, NOON + 12 * MINUTE)
    assert judgement.action is PauseAction.WAIT
    effect = "an increase of the failure rate from 2 % to 5 %"
    needed = f"more requests to both revisions together are needed to detect {effect}, expected at 12:"
    assert needed in judgement.line


def test_an_effect_that_no_traffic_detects_is_reported_with_the_setting() -> None:
    effect = MinimumDetectableEffect(stable=0.02, canary=0.020001)
    line = progress_line(observe(HEALTHY, policy=replace(POLICY, minimum_detectable_effect=effect)), NOON + MINUTE)
    assert " % cannot be detected at this weight; set a larger minimum_detectable_effect; " in line


def test_the_time_at_which_to_expect_enough_requests_follows_from_the_current_traffic() -> None:
    evidence = observe(*[(Counts(80), Counts(20))] * 10)
    missing = evidence.power_analysis.requests_missing(0.2) or 0
    assert progress_line(evidence, NOON + 10 * MINUTE).endswith(
        f"expected at {NOON + 10 * MINUTE + missing / 100 * MINUTE:%H:%M:%S} UTC"
    )


@pytest.mark.parametrize(
    ("on_inconclusive", "action"),
    [
        (OnInconclusive.ROLLBACK, PauseAction.ROLL_BACK),
        (OnInconclusive.APPROVAL, PauseAction.AWAIT_APPROVAL),
        (OnInconclusive.GUIDE, PauseAction.PROMOTE_BY_GUIDE),
    ],
)
def test_after_the_longest_pause_on_inconclusive_applies(on_inconclusive: OnInconclusive, action: PauseAction) -> None:
    evidence = observe(*[(Counts(8), Counts(2))] * 30, policy=replace(POLICY, on_inconclusive=on_inconclusive))
    judgement = judge_pause(evidence, NOON + 30 * MINUTE)
    assert judgement.action is action
    assert judgement.analysis.verdict is Verdict.INCONCLUSIVE
    assert judgement.line.startswith("no proof within 30m; too few requests")
    assert f"; on_inconclusive is {on_inconclusive}" in judgement.line


@pytest.mark.parametrize("canary", [Counts(2, 1), Counts()])
def test_without_the_guides_condition_the_guide_does_not_promote(canary: Counts) -> None:
    evidence = observe(
        *[(Counts(8), canary)] * 2, policy=replace(POLICY, on_inconclusive=OnInconclusive.GUIDE, pause=MINUTE)
    )
    assert judge_pause(evidence, NOON + 3 * MINUTE).action in (PauseAction.ROLL_BACK, PauseAction.ABORT)
