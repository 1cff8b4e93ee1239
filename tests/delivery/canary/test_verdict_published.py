"""What other judges were reported for, each by the issue that reported it."""

from dataclasses import replace
from functools import reduce

import pytest

from delivery.canary.counts import Counts
from delivery.canary.evidence import Evidence
from delivery.canary.settings import OnInconclusive
from delivery.canary.verdict import PauseAction, Verdict, next_move
from tests.delivery.canary.watched import MINUTE, NOON, POLICY, verdict_of, watch


def test_sparse_failures_of_one_arm_prove_neither_harm_nor_health() -> None:
    """kayenta#426: 0, 1, 2, 1, 0, 0 failures against none; that judge passes the canary that has them."""
    sparse = [Counts(100, failures) for failures in (0, 1, 2, 1, 0, 0)]
    healthy = [Counts(100)] * 6
    assert verdict_of(*zip(healthy, sparse, strict=True), weight_percent=50, after=6) is Verdict.INCONCLUSIVE
    assert verdict_of(*zip(sparse, healthy, strict=True), weight_percent=50, after=6) is Verdict.INCONCLUSIVE


def test_sparse_failures_that_go_on_are_harm() -> None:
    """kayenta#426, the same canary five times as long: its failures were expected to be found."""
    sparse = [Counts(100, failures) for failures in (0, 1, 2, 1, 0, 0)] * 5
    arms = zip([Counts(100)] * 30, sparse, strict=True)
    assert verdict_of(*arms, weight_percent=50) is Verdict.FAIL


def test_a_hundredfold_increase_in_most_periods_fails() -> None:
    """spinnaker#6278: baseline ten times 1, canary seven times 100 and three times 1; that judge passes it."""
    canary = [Counts(10_000, failures) for failures in [100] * 7 + [1] * 3]
    arms = [(Counts(10_000, 1), counts) for counts in canary]
    assert verdict_of(*arms[:1], weight_percent=50) is Verdict.FAIL
    assert verdict_of(*arms, weight_percent=50) is Verdict.FAIL


def test_an_empty_result_is_inconclusive_and_says_so() -> None:
    """argo-rollouts#1466: an empty result ends in "slice index out of range" and an aborted rollout."""
    move = next_move(watch(*[(Counts(), Counts())] * 10), NOON + 10 * MINUTE)
    assert (move.action, move.analysis.verdict) == (PauseAction.WAIT, Verdict.INCONCLUSIVE)
    assert move.analysis.reason == "no requests were counted for the new revision at 20 %"


@pytest.mark.parametrize("on_inconclusive", OnInconclusive)
def test_measurements_that_all_err_never_promote(on_inconclusive: OnInconclusive) -> None:
    """argo-rollouts#4479: a run whose measurements all erred or failed is "Successful"."""
    begun = Evidence.begin(replace(POLICY, on_inconclusive=on_inconclusive), 20, NOON)
    evidence = reduce(lambda seen, why: seen.cannot_read(why), ["Errored"] * 30, begun)
    move = next_move(evidence, NOON + 30 * MINUTE)
    assert move.action in (PauseAction.REVERT, PauseAction.ASK)
    assert move.analysis.reason == "not everything could be read: Errored"


def test_no_values_found_waits_and_then_reverts() -> None:
    """flagger#361: "no values found" for a canary without traffic."""
    evidence = watch()
    assert next_move(evidence, NOON + 29 * MINUTE).action is PauseAction.WAIT
    assert next_move(evidence, NOON + 30 * MINUTE).action is PauseAction.REVERT
