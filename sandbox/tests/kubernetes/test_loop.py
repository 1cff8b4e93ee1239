"""The queue of a controller's loop."""

from sandbox.kubernetes.controllers.loop import MAX_RETRY_SECONDS, RETRY_SECONDS, Queue

NAME = ("shop", "till")


def test_a_failure_is_tried_again_later_each_time() -> None:
    queue = Queue()
    assert [queue.retry_after(NAME) for _ in range(3)] == [RETRY_SECONDS, 2 * RETRY_SECONDS, 4 * RETRY_SECONDS]


def test_what_fails_for_ever_is_tried_again_for_ever() -> None:
    queue = Queue()
    assert {queue.retry_after(NAME) for _ in range(5_000)} >= {MAX_RETRY_SECONDS}
    assert queue.retry_after(NAME) == MAX_RETRY_SECONDS
