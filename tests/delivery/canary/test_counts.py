from datetime import UTC, datetime, timedelta

import pytest

from delivery.canary.counts import Counts, contains_any, count_requests, count_slow, periods_within

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_request_without_a_response_has_failed() -> None:
    assert count_requests(100, [80, 5, 10, 2]) == Counts(100, 5)


def test_responses_that_are_counted_before_their_requests_are_not_failures() -> None:
    assert count_requests(90, [100, 0, 0, 0]) == Counts(90, 0)


def test_responses_that_are_not_in_time_are_slow() -> None:
    assert [count_slow(40, in_time) for in_time in (100.0, 97.5, 0.0)] == [0, 1, 40]


def test_only_whole_periods_of_a_pause_are_counted() -> None:
    starts = periods_within(NOON + timedelta(seconds=10), NOON + timedelta(minutes=3, seconds=10), MINUTE)
    assert starts == (NOON + MINUTE, NOON + 2 * MINUTE)


@pytest.mark.parametrize(("seconds", "expected"), [(-6, False), (-4, True), (30, True), (64, True), (66, False)])
def test_a_time_within_the_margin_of_a_period_belongs_to_it(seconds: int, expected: bool) -> None:
    assert contains_any(NOON, MINUTE, [NOON + timedelta(seconds=seconds)], timedelta(seconds=5)) is expected
