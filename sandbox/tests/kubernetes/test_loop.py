"""The queue of a controller's loop."""

from sandbox.kubernetes.controllers.loop import MAX_RETRY_SECONDS, RETRY_SECONDS, Queue

NAME = ("shop", "till")


def test_each_failure_is_retried_after_a_longer_delay() -> None:
    queue = Queue()
    assert [queue.retry_after(NAME) for _ in range(3)] == [RETRY_SECONDS, 2 * RETRY_SECONDS, 4 * RETRY_SECONDS]


def test_the_delay_of_repeated_failures_has_a_maximum() -> None:
    queue = Queue()
    assert {queue.retry_after(NAME) for _ in range(5_000)} >= {MAX_RETRY_SECONDS}
    assert queue.retry_after(NAME) == MAX_RETRY_SECONDS
