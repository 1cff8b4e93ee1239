import math
from dataclasses import replace
from datetime import timedelta
from random import Random
from statistics import fmean, pvariance

import pytest

from delivery.environment import WhenUnsure
from delivery.evidence import Policy
from delivery.simulation import Run, Scenario, binomial, count_period, poisson, simulate, summarize
from delivery.verdict import Action
from tests.environments import production_policy

STEPS = (20, 40, 60, 80)
BUSY = Scenario(requests_per_second=50)
POLICY = production_policy()


def run(scenario: Scenario, seed: int = 1, policy: Policy | None = None) -> Run:
    return simulate(scenario, policy or POLICY, STEPS, Random(seed))


def test_a_healthy_release_takes_its_forty_minutes_and_is_promoted() -> None:
    healthy = run(BUSY)
    assert (healthy.action, healthy.duration) == (Action.ADVANCE, timedelta(minutes=40))
    assert healthy.users_harmed == 0


def test_a_harmful_release_is_aborted_within_minutes() -> None:
    harmful = run(replace(BUSY, canary_failure_rate=0.05))
    assert harmful.action is Action.ABORT
    assert harmful.duration < timedelta(minutes=10)
    assert harmful.users_harmed == pytest.approx(0.03 * 0.2 * harmful.requests, rel=0.1)


def test_the_same_seed_gives_the_same_run() -> None:
    scenario = replace(BUSY, shock=0.5, burst=0.1, lost=0.1, late=1, retries=1)
    assert run(scenario, seed=7) == run(scenario, seed=7)
    assert run(scenario, seed=7) != run(scenario, seed=8)


def test_a_quiet_service_is_reverted_at_the_ceiling() -> None:
    quiet = run(replace(BUSY, requests_per_second=0.5))
    assert (quiet.action, quiet.duration) == (Action.REVERT, timedelta(minutes=30))


def test_a_quiet_service_goes_on_by_the_guide_where_its_environment_says_so() -> None:
    by_guide = run(replace(BUSY, requests_per_second=0.2), policy=replace(POLICY, when_unsure=WhenUnsure.GUIDE))
    assert by_guide.action in (Action.ADVANCE, Action.ADVANCE_BY_GUIDE)


def test_a_weight_that_is_not_applied_is_never_promoted() -> None:
    unmoved = run(replace(BUSY, honoured=0.0))
    assert unmoved.action is Action.REVERT
    assert "the weight is not honoured" in unmoved.reason


def test_metrics_that_are_all_lost_never_promote() -> None:
    assert run(replace(BUSY, lost=1.0)).action is Action.REVERT


def test_one_bad_pod_of_six_is_found() -> None:
    assert run(replace(BUSY, bad_pods=1 / 6, pod_failure_rate=0.5)).action is Action.ABORT


def test_late_counts_delay_what_is_found() -> None:
    harmful = replace(BUSY, canary_failure_rate=0.5)
    assert run(replace(harmful, late=2)).duration - run(harmful).duration == timedelta(minutes=2)


def test_retries_of_one_failure_count_as_often_as_they_were_made() -> None:
    scenario = Scenario(stable_failure_rate=1.0, canary_failure_rate=1.0, retries=3)
    stable, canary = count_period(scenario, 0.2, 60, Random(1))
    assert stable.requests == stable.failures
    assert stable.failures % 4 == canary.failures % 4 == 0


@pytest.mark.parametrize(("trials", "probability"), [(600, 0.02), (600, 0.2), (30_000, 0.2), (50, 0.9), (10, 0.0)])
def test_successes_have_the_mean_and_variance_of_a_binomial(trials: int, probability: float) -> None:
    random = Random(3)
    drawn = [binomial(trials, probability, random) for _ in range(3000)]
    variance = trials * probability * (1 - probability)
    assert fmean(drawn) == pytest.approx(trials * probability, abs=4 * math.sqrt(variance / 3000))
    assert pvariance(drawn) == pytest.approx(variance, rel=0.12)


@pytest.mark.parametrize("mean", [0.0, 0.5, 30.0, 5000.0])
def test_arrivals_have_the_mean_and_variance_of_poisson(mean: float) -> None:
    random = Random(3)
    drawn = [poisson(mean, random) for _ in range(3000)]
    assert fmean(drawn) == pytest.approx(mean, abs=4 * math.sqrt(mean / 3000))
    assert pvariance(drawn) == pytest.approx(mean, rel=0.12)


def test_a_summary_tells_how_runs_ended_and_what_aborts_took() -> None:
    def ended(action: Action, minutes: int) -> Run:
        return Run(action, timedelta(minutes=minutes), minutes * 100, 2.0, "")

    summary = summarize(
        [ended(Action.ABORT, 1), ended(Action.ABORT, 3), ended(Action.ADVANCE, 40), ended(Action.ASK, 30)]
    )
    assert (summary.aborted, summary.promoted, summary.inconclusive) == (0.5, 0.25, 0.25)
    assert summary.minutes == pytest.approx((2.0, 2.8, 2.98))
    assert summary.requests == pytest.approx((200, 280, 298))
    assert summary.users_harmed == 2.0


def test_without_aborts_there_is_nothing_to_say_about_them() -> None:
    assert summarize([run(BUSY)]).minutes is None
