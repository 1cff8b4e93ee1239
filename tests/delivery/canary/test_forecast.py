from dataclasses import replace
from datetime import timedelta

from delivery.canary.forecast import Traffic, forecast
from delivery.canary.settings import MinimumDetectableEffect
from tests.delivery.canary.watched import MINUTE, POLICY


def at(requests_per_second: float, minutes: int = 30) -> Traffic:
    return Traffic.of([requests_per_second * 60] * minutes, MINUTE)


def test_traffic_that_will_not_do_is_foreseen_with_the_choices() -> None:
    found = forecast(POLICY, [20, 40, 60, 80], at(2)) or ""
    assert found.startswith("At 20 %, 57")
    assert "At 2 requests/s, the rate of the last 0:30:00, 3480 requests are counted within 0:30:00" in found
    assert "Set a ceiling of 0:48:" in found


def test_traffic_that_will_do_needs_no_words() -> None:
    assert forecast(POLICY, [20, 40, 60, 80], at(3.5)) is None


def test_what_is_counted_after_the_ceiling_is_not_hoped_for() -> None:
    late = replace(POLICY, lateness=timedelta(minutes=2))
    assert forecast(POLICY, [20], at(3.4)) is None
    assert "At 3.4 requests/s" in (forecast(late, [20], at(3.4)) or "")


def test_traffic_that_was_never_counted_is_not_known() -> None:
    assert forecast(POLICY, [20], at(0)) == (
        "It is not known whether the traffic will do for the canary: none was counted in the last 0:30:00."
    )


def test_traffic_that_has_only_begun_is_not_known_to_be_too_little() -> None:
    begun = Traffic.of([0] * 25 + [3] + [60] * 4, MINUTE)
    assert begun == Traffic(240, timedelta(minutes=4))
    found = forecast(POLICY, [20], begun) or ""
    assert found.endswith("it began to be counted 0:04:00 ago, and a pause takes 0:10:00.")


def test_traffic_that_has_only_begun_may_be_enough_all_the_same() -> None:
    assert forecast(POLICY, [20], Traffic.of([0] * 25 + [3] + [600] * 4, MINUTE)) is None


def test_traffic_that_ended_is_too_little() -> None:
    ended = Traffic.of([600] * 5 + [0] * 25, MINUTE)
    assert ended.requests_per_second == 5 / 3
    assert "so the step will be inconclusive" in (forecast(POLICY, [20], ended) or "")


def test_a_larger_smallest_harm_makes_a_quiet_service_decidable() -> None:
    large = replace(POLICY, minimum_detectable_effect=MinimumDetectableEffect(stable=0.02, canary=0.3))
    assert forecast(large, [20], at(0.5)) is None
