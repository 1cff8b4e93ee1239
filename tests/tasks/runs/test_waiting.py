"""Waiting for a condition. Only a read that succeeded decides."""

from datetime import timedelta

import pytest
from prefect.logging import disable_run_logger

from delivery.errors import Unavailable
from tasks.runs.waiting import poll_until

SOON = timedelta(milliseconds=1)


class Reads:
    """Returns its answers in turn, then the last one again and again. An exception is raised."""

    def __init__(self, *answers: int | Exception) -> None:
        self._answers = list(answers)

    def __call__(self) -> int:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def wait_for_three(*answers: int | Exception, deadline: timedelta = timedelta(seconds=5)) -> tuple[int, bool]:
    with disable_run_logger():
        return poll_until(Reads(*answers), lambda seen: seen == 3, poll=SOON, deadline=deadline)


def test_the_condition_ends_the_wait() -> None:
    assert wait_for_three(1, 2, 3) == (3, True)


def test_a_failed_read_decides_nothing() -> None:
    assert wait_for_three(Unavailable("away"), 1, Unavailable("away"), 3) == (3, True)


def test_at_the_deadline_the_last_value_is_returned() -> None:
    assert wait_for_three(Unavailable("away"), 2, deadline=10 * SOON) == (2, False)


def test_a_value_from_before_a_service_became_unavailable_is_no_answer() -> None:
    with pytest.raises(Unavailable, match="away"):
        wait_for_three(2, Unavailable("away"), deadline=10 * SOON)


def test_reads_that_all_failed_are_no_answer() -> None:
    with pytest.raises(Unavailable, match="away"):
        wait_for_three(Unavailable("away"), deadline=10 * SOON)
