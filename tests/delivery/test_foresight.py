from dataclasses import replace
from datetime import timedelta

from delivery.canary_settings import SmallestHarm
from delivery.foresight import foresee
from tests.delivery.canaries import POLICY


def test_traffic_that_will_not_do_is_foreseen_with_the_choices() -> None:
    foreseen = foresee(POLICY, [20, 40, 60, 80], requests_per_second=2) or ""
    assert foreseen.startswith("At 20 % it takes 57")
    assert "at 2 requests/s 3480 are counted within 0:30:00" in foreseen
    assert "Choose a ceiling of 0:48:" in foreseen


def test_traffic_that_will_do_needs_no_words() -> None:
    assert foresee(POLICY, [20, 40, 60, 80], requests_per_second=3.5) is None


def test_what_is_counted_after_the_ceiling_is_not_hoped_for() -> None:
    late = replace(POLICY, lateness=timedelta(minutes=2))
    assert foresee(POLICY, [20], requests_per_second=3.4) is None
    assert "at 3.4 requests/s" in (foresee(late, [20], requests_per_second=3.4) or "")


def test_no_traffic_before_the_release_is_foreseen_too() -> None:
    assert "Choose more traffic" in (foresee(POLICY, [20], requests_per_second=0) or "")


def test_a_larger_smallest_harm_makes_a_quiet_service_decidable() -> None:
    assert (
        foresee(replace(POLICY, smallest_harm=SmallestHarm(stable=0.02, canary=0.3)), [20], requests_per_second=0.5)
        is None
    )
