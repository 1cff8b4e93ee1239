import math

import pytest

from delivery.canary.power import PowerAnalysis
from delivery.canary.settings import MinimumDetectableEffect

ANALYSIS = PowerAnalysis(MinimumDetectableEffect(stable=0.02, canary=0.05), math.log(125), 0.9)


def test_the_default_effect_needs_some_thousand_requests_at_twenty_percent() -> None:
    missing = ANALYSIS.requests_missing(0.2)
    assert missing is not None
    assert 4500 < missing < 6500


def test_the_missing_requests_are_enough_and_one_request_less_is_not() -> None:
    missing = ANALYSIS.requests_missing(0.2) or 0
    assert ANALYSIS.add(missing * 0.2, missing * 0.8).is_enough
    assert not ANALYSIS.add((missing - 1) * 0.2, (missing - 1) * 0.8).is_enough


def test_requests_of_earlier_steps_count() -> None:
    after_a_step = ANALYSIS.add(500, 2000)
    assert (after_a_step.requests_missing(0.4) or 0) < (ANALYSIS.requests_missing(0.4) or 0)


def test_an_even_split_needs_the_fewest_requests() -> None:
    needed = {weight: ANALYSIS.requests_missing(weight / 100) or 0 for weight in (5, 20, 50, 80, 95)}
    assert min(needed, key=lambda weight: needed[weight]) == 50


def test_a_larger_effect_needs_fewer_requests() -> None:
    larger = PowerAnalysis(MinimumDetectableEffect(stable=0.02, canary=0.3), math.log(125), 0.9)
    assert (larger.requests_missing(0.2) or 0) < 500


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_one_revision_alone_never_has_enough_requests(share: float) -> None:
    assert ANALYSIS.requests_missing(share) is None


def test_no_number_of_requests_detects_an_effect_of_zero() -> None:
    assert (
        PowerAnalysis(MinimumDetectableEffect(stable=0.02, canary=0.02), math.log(125), 0.9).requests_missing(0.2)
        is None
    )
