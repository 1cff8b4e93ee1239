import math
from random import Random
from statistics import fmean, pvariance

import pytest

from delivery.canary.counts import Counts
from delivery.canary.synthetic_traffic import Scenario, binomial, count_period, poisson, read_late


def test_each_retry_of_a_failure_counts_as_a_request() -> None:
    scenario = Scenario(stable_failure_rate=1.0, canary_failure_rate=1.0, retries=3)
    stable, canary = count_period(scenario, 20, 60, Random(1))
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


def test_a_shock_changes_both_failure_rates_together() -> None:
    scenario, random = Scenario(requests_per_second=10_000, shock=0.5), Random(1)
    periods = [count_period(scenario, 50, 60, random) for _ in range(50)]
    rates = [(1 - stable.success_rate, 1 - canary.success_rate) for stable, canary in periods]
    assert max(rate for rate, _ in rates) > 1.5 * min(rate for rate, _ in rates)
    assert all(canary == pytest.approx(stable, rel=0.15) for stable, canary in rates)


def test_a_burst_multiplies_the_requests_to_both_revisions() -> None:
    without = count_period(Scenario(), 20, 60, Random(1))
    burst = count_period(Scenario(burst=1.0), 20, 60, Random(1))
    for before, after in zip(without, burst, strict=True):
        assert after.requests == pytest.approx(5 * before.requests, rel=0.15)


@pytest.mark.parametrize(
    ("weight_percent", "rate"),
    [(20, 0.5), (40, (0.5 + 0.02) / 2), (80, (0.5 + 2 * 0.02) / 3)],
)
def test_one_bad_pod_affects_fewer_requests_the_more_pods_the_canary_has(weight_percent: int, rate: float) -> None:
    assert Scenario(pods=3, bad_pods=1).canary_rate(weight_percent) == pytest.approx(rate)


def test_late_counts_of_a_revision_are_read_as_no_requests() -> None:
    counts = (Counts(80, 2), Counts(20, 1))
    assert read_late(counts, 1.0, Random(1)) == (Counts(), Counts())
    assert read_late(counts, 0.0, Random(1)) == counts
    random = Random(1)
    assert {read_late(counts, 0.5, random) for _ in range(50)} == {
        counts,
        (Counts(), counts[1]),
        (counts[0], Counts()),
        (Counts(), Counts()),
    }


def test_if_the_weight_is_not_applied_the_canary_gets_no_requests() -> None:
    assert count_period(Scenario(honoured=0.0), 20, 60, Random(1))[1] == Counts()
