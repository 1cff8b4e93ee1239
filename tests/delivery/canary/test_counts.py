from datetime import UTC, datetime, timedelta

import pytest

from delivery.canary.counts import Counts, count_arm, count_slow, is_touched, periods_within

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_request_without_an_answer_has_failed() -> None:
    assert count_arm(100, [80, 5, 10, 2]) == Counts(100, 5)


def test_answers_that_were_counted_before_their_requests_are_no_failures() -> None:
    assert count_arm(90, [100, 0, 0, 0]) == Counts(90, 0)


def test_answers_that_are_not_in_time_are_slow() -> None:
    assert [count_slow(40, in_time) for in_time in (100.0, 97.5, 0.0)] == [0, 1, 40]


def test_only_whole_periods_of_a_pause_count() -> None:
    starts = periods_within(NOON + timedelta(seconds=10), NOON + timedelta(minutes=3, seconds=10), MINUTE)
    assert starts == (NOON + MINUTE, NOON + 2 * MINUTE)


@pytest.mark.parametrize(("seconds", "is_it"), [(-6, False), (-4, True), (30, True), (64, True), (66, False)])
def test_what_was_seen_just_beside_a_period_may_have_been_so_within_it(seconds: int, is_it: bool) -> None:
    assert is_touched(NOON, MINUTE, [NOON + timedelta(seconds=seconds)], timedelta(seconds=5)) is is_it
