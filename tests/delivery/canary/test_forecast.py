from dataclasses import replace
from datetime import timedelta

from delivery.canary.forecast import Traffic, forecast
from delivery.canary.settings import MinimumDetectableEffect
from tests.delivery.canary.observations import MINUTE, POLICY


def at(requests_per_second: float, minutes: int = 30) -> Traffic:
    return Traffic.of([requests_per_second * 60] * minutes, MINUTE)


def test_the_forecast_for_too_little_traffic_names_the_options() -> None:
    found = forecast(POLICY, [20, 40, 60, 80], at(2)) or ""
    assert found.startswith("At 20 %, 57")
    assert "At 2 requests/s, the rate of the last 30m, 3480 requests are counted within 30m, so the" in found
    assert "Options: a ceiling of 4.9 (pauses of up to 49m), a larger" in found


def test_the_ceiling_of_the_forecast_is_enough() -> None:
    assert forecast(replace(POLICY, ceiling=4.9), [20], at(2)) is None
    assert forecast(replace(POLICY, ceiling=4.8), [20], at(2)) is not None


def test_an_effect_that_no_traffic_detects_has_no_ceiling_as_an_option() -> None:
    tiny = replace(POLICY, minimum_detectable_effect=MinimumDetectableEffect(stable=0.02, canary=0.020001))
    found = forecast(tiny, [20], at(1000)) or ""
    assert found.startswith("At 20 %, no number of requests is enough to detect an increase of the failure rate from")
    assert "Options: a larger minimum_detectable_effect, " in found


def test_enough_traffic_has_no_forecast() -> None:
    assert forecast(POLICY, [20, 40, 60, 80], at(3.5)) is None


def test_requests_that_are_read_after_the_longest_pause_do_not_count() -> None:
    late = replace(POLICY, lateness=timedelta(minutes=2))
    assert forecast(POLICY, [20], at(3.4)) is None
    assert "At 3.4 requests/s" in (forecast(late, [20], at(3.4)) or "")


def test_traffic_that_was_never_counted_is_unknown() -> None:
    assert forecast(POLICY, [20], at(0)) == (
        "It is unknown whether the traffic is enough for the canary: no requests were counted in the last 30m."
    )


def test_traffic_that_began_less_than_a_pause_ago_is_not_called_too_little() -> None:
    recent = Traffic.of([0] * 25 + [3] + [60] * 4, MINUTE)
    assert recent == Traffic(240, timedelta(minutes=4))
    found = forecast(POLICY, [20], recent) or ""
    assert found.endswith(": only 4m of traffic data, and a pause takes 10m.")


def test_traffic_that_began_less_than_a_pause_ago_can_be_enough() -> None:
    assert forecast(POLICY, [20], Traffic.of([0] * 25 + [3] + [600] * 4, MINUTE)) is None


def test_traffic_that_ended_is_too_little() -> None:
    ended = Traffic.of([600] * 5 + [0] * 25, MINUTE)
    assert ended.requests_per_second == 5 / 3
    assert "so the step will be inconclusive" in (forecast(POLICY, [20], ended) or "")


def test_with_a_larger_minimum_detectable_effect_a_quiet_service_gets_a_verdict() -> None:
    large = replace(POLICY, minimum_detectable_effect=MinimumDetectableEffect(stable=0.02, canary=0.3))
    assert forecast(large, [20], at(0.5)) is None
