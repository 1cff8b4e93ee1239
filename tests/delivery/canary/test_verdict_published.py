"""Faults that users reported for other canary judges. Each test names the issue."""

from dataclasses import replace
from functools import reduce

import pytest

from delivery.canary.counts import Counts
from delivery.canary.evidence import Evidence
from delivery.canary.settings import OnInconclusive
from delivery.canary.verdict import PauseAction, Verdict, judge_pause
from tests.delivery.canary.observations import MINUTE, NOON, POLICY, observe, verdict_of


def test_sparse_failures_of_one_revision_prove_neither_harm_nor_health() -> None:
    """kayenta#426: 0, 1, 2, 1, 0, 0 failures against none. Kayenta passes this canary."""
    sparse = [Counts(100, failures) for failures in (0, 1, 2, 1, 0, 0)]
    healthy = [Counts(100)] * 6
    assert verdict_of(*zip(healthy, sparse, strict=True), weight_percent=50, after=6) is Verdict.INCONCLUSIVE
    assert verdict_of(*zip(sparse, healthy, strict=True), weight_percent=50, after=6) is Verdict.INCONCLUSIVE


def test_sparse_failures_that_continue_are_harm() -> None:
    """kayenta#426, five times as long: the reporter expects a failed canary."""
    sparse = [Counts(100, failures) for failures in (0, 1, 2, 1, 0, 0)] * 5
    counts = zip([Counts(100)] * 30, sparse, strict=True)
    assert verdict_of(*counts, weight_percent=50) is Verdict.FAIL


def test_a_hundredfold_increase_in_most_periods_fails() -> None:
    """spinnaker#6278: baseline ten times 1, canary seven times 100 and three times 1. Kayenta passes it."""
    counts = [(Counts(10_000, 1), Counts(10_000, failures)) for failures in [100] * 7 + [1] * 3]
    assert verdict_of(*counts[:1], weight_percent=50) is Verdict.FAIL
    assert verdict_of(*counts, weight_percent=50) is Verdict.FAIL


def test_an_empty_result_is_inconclusive_and_is_named() -> None:
    """argo-rollouts#1466: an empty result causes "slice index out of range" and an aborted rollout."""
    judgement = judge_pause(observe(*[(Counts(), Counts())] * 10), NOON + 10 * MINUTE)
    assert (judgement.action, judgement.analysis.verdict) == (PauseAction.WAIT, Verdict.INCONCLUSIVE)
    assert judgement.analysis.reason == "no requests were counted for the canary at 20 %"


@pytest.mark.parametrize("on_inconclusive", OnInconclusive)
def test_a_canary_whose_measurements_all_return_errors_is_never_promoted(on_inconclusive: OnInconclusive) -> None:
    """argo-rollouts#4479: a run is "Successful" although all its measurements failed or returned errors."""
    start = Evidence.begin(replace(POLICY, on_inconclusive=on_inconclusive), 20, NOON)
    evidence = reduce(Evidence.mark_unreadable, ["Errored"] * 30, start)
    judgement = judge_pause(evidence, NOON + 30 * MINUTE)
    assert judgement.action in (PauseAction.ROLL_BACK, PauseAction.AWAIT_APPROVAL)
    assert judgement.analysis.reason == "could not read: Errored"


def test_a_canary_without_values_waits_and_is_then_rolled_back() -> None:
    """flagger#361: "no values found" for a canary without traffic."""
    evidence = observe()
    assert judge_pause(evidence, NOON + 29 * MINUTE).action is PauseAction.WAIT
    assert judge_pause(evidence, NOON + 30 * MINUTE).action is PauseAction.ROLL_BACK
