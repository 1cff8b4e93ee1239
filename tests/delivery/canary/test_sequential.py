import math
from fractions import Fraction
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.canary.counts import Counts
from delivery.canary.sequential import (
    Harm,
    Hits,
    RatioTest,
    SampleRatio,
    confidence_sequence,
    harm_test,
    log_mixture,
    non_inferiority_test,
)


def hits_of_both(most: int) -> st.SearchStrategy[Hits]:
    counts = st.integers(0, most).flatmap(lambda requests: st.tuples(st.just(requests), st.integers(0, requests)))
    return st.tuples(counts, counts).map(lambda two: Hits(two[0][0], two[1][0], two[0][1], two[1][1]))


def evidence_of(test: RatioTest, periods: list[Hits]) -> float:
    return reduce(RatioTest.add, periods, test).log_evidence


def product(test: RatioTest, periods: list[Hits]) -> Fraction:
    """For each ratio the product over all hits, one factor per hit, in exact arithmetic; of these, the mean."""
    null = Fraction(test.null)
    products = [
        math.prod((factor for hits in periods for factor in _factors(hits, Fraction(ratio), null)), start=Fraction(1))
        for ratio in test.ratios
    ]
    return sum(products, Fraction(0)) / len(products)


def _factors(hits: Hits, ratio: Fraction, null: Fraction) -> list[Fraction]:
    def on_canary(times: Fraction) -> Fraction:
        share = Fraction(hits.canary_requests, hits.stable_requests + hits.canary_requests)
        return share * times / (share * times + 1 - share)

    canary = [on_canary(ratio) / on_canary(null) for _ in range(hits.canary)]
    return canary + [(1 - on_canary(ratio)) / (1 - on_canary(null)) for _ in range(hits.stable)]


@pytest.mark.parametrize("test", [harm_test(), non_inferiority_test(1.5)])
@given(periods=st.lists(hits_of_both(12), max_size=4))
def test_the_evidence_is_the_product_over_all_failures(test: RatioTest, periods: list[Hits]) -> None:
    assert evidence_of(test, periods) == pytest.approx(math.log(product(test, periods)), abs=1e-9)


@given(periods=st.lists(st.tuples(hits_of_both(12), hits_of_both(12)), max_size=3))
def test_the_evidence_of_harm_is_the_weighted_mean_of_failures_and_slow_requests(
    periods: list[tuple[Hits, Hits]],
) -> None:
    harm = reduce(lambda evidence, both: evidence.add(*both), periods, Harm())
    failures, slow = ([both[signal] for both in periods] for signal in (0, 1))
    exact = Fraction(4, 5) * product(harm_test(), failures) + Fraction(1, 5) * product(harm_test(), slow)
    assert harm.log_evidence == pytest.approx(math.log(exact), abs=1e-9)


def test_without_slow_requests_failures_prove_harm_from_evidence_of_124_75() -> None:
    def harm(evidence: float) -> Harm:
        return Harm(failures=RatioTest(1.0, (2.0,), (math.log(evidence),))).add(Hits(1, 1, 0, 0))

    assert harm(124.751).is_proven(0.01)
    assert not harm(124.749).is_proven(0.01)


@given(
    st.lists(hits_of_both(10_000), max_size=5).flatmap(
        lambda periods: st.tuples(st.just(periods), st.permutations(periods))
    )
)
def test_the_order_of_periods_does_not_matter(two: tuple[list[Hits], list[Hits]]) -> None:
    assert evidence_of(harm_test(), two[0]) == pytest.approx(evidence_of(harm_test(), two[1]), abs=1e-9)


@given(
    before=st.lists(hits_of_both(1000), max_size=3),
    requests=st.integers(1, 10_000),
    weight_percent=st.integers(1, 99),
    failures=st.integers(0, 100),
)
def test_a_period_in_which_the_canary_fails_no_more_often_is_no_evidence_of_harm(
    before: list[Hits], requests: int, weight_percent: int, failures: int
) -> None:
    canary, stable = requests * weight_percent, requests * (100 - weight_percent)
    healthy = Hits(stable, canary, min(failures, stable), min(failures, stable) * canary // stable)
    assert evidence_of(harm_test(), [*before, healthy]) <= evidence_of(harm_test(), before) + 1e-9


@given(stable=st.integers(0, 6), canary=st.integers(0, 6), rate=st.floats(0, 0.6), better=st.floats(0, 1))
def test_the_expected_evidence_against_a_true_hypothesis_is_at_most_one(
    stable: int, canary: int, rate: float, better: float
) -> None:
    assert expected_evidence(harm_test(), stable, canary, rate, rate * better) <= 1 + 1e-9
    assert expected_evidence(non_inferiority_test(1.5), stable, canary, rate, rate * (2.5 - better)) <= 1 + 1e-9


def expected_evidence(test: RatioTest, stable: int, canary: int, stable_rate: float, canary_rate: float) -> float:
    """The mean over all possible failures of both revisions at these numbers of requests and failure rates."""

    def probability(failures: int, requests: int, rate: float) -> float:
        return math.comb(requests, failures) * rate**failures * (1 - rate) ** (requests - failures)

    return sum(
        probability(stable_failures, stable, stable_rate)
        * probability(canary_failures, canary, min(canary_rate, 1.0))
        * math.exp(evidence_of(test, [Hits(stable, canary, stable_failures, canary_failures)]))
        for stable_failures in range(stable + 1)
        for canary_failures in range(canary + 1)
    )


def test_without_requests_there_is_no_evidence() -> None:
    assert evidence_of(harm_test(), [Hits(0, 0, 0, 0)]) == 0


@pytest.mark.parametrize("hits", [Hits(0, 1, 0, 1), Hits(1, 0, 1, 0), Hits(0, 1, 0, 0)])
def test_a_single_request_proves_nothing(hits: Hits) -> None:
    assert evidence_of(harm_test(), [hits]) == pytest.approx(0)
    assert not Harm().add(hits).is_proven(0.01)


def test_a_billion_requests_at_equal_rates_prove_no_harm_and_non_inferiority() -> None:
    hits = Hits(800_000_000, 200_000_000, 16_000_000, 4_000_000)
    assert not Harm().add(hits).is_proven(0.01)
    assert evidence_of(non_inferiority_test(1.5), [hits]) > math.log(100)


def test_a_billion_requests_keep_their_precision() -> None:
    hits = Hits(800_000_000, 200_000_000, 800_000_000, 200_000_000)
    whole = evidence_of(harm_test(), [hits])
    parts = evidence_of(harm_test(), [Hits(800_000, 200_000, 800_000, 200_000)] * 1000)
    assert whole == pytest.approx(parts, abs=1e-3)
    assert whole == pytest.approx(2e8 * math.log(1.25) - 1e9 * math.log1p(0.05) - math.log(24), abs=1e-3)


def test_a_billion_requests_with_harm_prove_it() -> None:
    harm = Harm().add(Hits(800_000_000, 200_000_000, 16_000_000, 10_000_000))
    assert math.isfinite(harm.log_evidence)
    assert harm.is_proven(0.01)


def test_harm_that_was_proven_stays_proven() -> None:
    harm = Harm().add(Hits(800, 200, 16, 40))
    recovered = reduce(Harm.add, [Hits(8000, 2000, 400, 0)] * 3, harm)
    assert recovered.log_evidence < 0
    assert recovered.is_proven(0.01)


def test_slow_requests_alone_can_prove_harm() -> None:
    assert Harm().add(Hits(800, 200, 0, 0), Hits(800, 200, 40, 80)).is_proven(0.01)


def test_healthy_latency_does_not_hide_failures() -> None:
    assert Harm().add(Hits(800, 200, 16, 40), Hits(8000, 2000, 800, 100)).is_proven(0.01)


def test_the_evidence_of_steps_at_different_weights_adds_up() -> None:
    steps = [Hits(800, 200, 8, 6), Hits(600, 400, 6, 12), Hits(400, 600, 4, 18)]
    proven = [reduce(Harm.add, steps[:count], Harm()).is_proven(0.01) for count in range(4)]
    assert proven == [False, False, False, True]


@pytest.mark.parametrize("weight_percent", [1, 20, 50, 80, 99])
def test_a_weight_that_is_in_force_is_no_mismatch(weight_percent: int) -> None:
    ratio = SampleRatio(weight_percent / 100).add(weight_percent * 10**7, (100 - weight_percent) * 10**7)
    assert not ratio.is_mismatch(0.0005)


def test_a_weight_that_is_not_in_force_is_a_mismatch() -> None:
    assert not SampleRatio(0.2).add(0, 10).is_mismatch(0.0005)
    assert SampleRatio(0.2).add(0, 150).is_mismatch(0.0005)
    assert SampleRatio(0.2).at(0.4).add(200, 800).is_mismatch(0.0005)


def test_all_requests_to_the_canary_are_a_mismatch() -> None:
    assert SampleRatio(0.8).add(1000, 0).is_mismatch(0.0005)


def test_a_share_within_the_tolerance_is_never_a_mismatch() -> None:
    assert not SampleRatio(0.2).add(209_000_000, 791_000_000).is_mismatch(0.0005)


def test_the_confidence_sequence_of_few_requests_is_wide_and_of_many_narrow() -> None:
    few, many = confidence_sequence(9, 1, confidence=0.99), confidence_sequence(900, 100, confidence=0.99)
    assert few[0] < 0.5
    assert few[1] > 0.95
    assert 0.85 < many[0] < many[1] < 0.94


@given(hits=st.integers(0, 500), misses=st.integers(0, 500))
def test_the_confidence_sequence_ends_at_the_rates_that_the_counts_just_refute(hits: int, misses: int) -> None:
    low, high = confidence_sequence(hits, misses, confidence=0.99)
    assert 0 <= low < high <= 1
    for edge in (low, high):
        if 0 < edge < 1:
            assert log_mixture(hits, misses, edge) == pytest.approx(math.log(100), abs=1e-6)


@given(hits=st.integers(0, 30), misses=st.integers(0, 30), rate=st.fractions(Fraction(1, 50), Fraction(49, 50)))
def test_the_mixture_is_the_integral_over_all_rates(hits: int, misses: int, rate: Fraction) -> None:
    marginal = Fraction(math.factorial(hits) * math.factorial(misses), math.factorial(hits + misses + 1))
    exact = marginal / (rate**hits * (1 - rate) ** misses)
    assert log_mixture(hits, misses, float(rate)) == pytest.approx(math.log(exact), abs=1e-9)


def test_a_billion_requests_give_a_narrow_interval() -> None:
    low, high = confidence_sequence(950_000_000, 50_000_000, confidence=0.99)
    assert low < 0.95 < high
    assert high - low < 1e-4


def test_failures_come_from_the_counts_of_both_revisions() -> None:
    assert Hits.failures(Counts(80, 1), Counts(20, 2)) == Hits(80, 20, 1, 2)
    assert Hits.failures(Counts(80, 1), Counts(20, 2)).canary_share == 0.2
