"""Waiting for a condition, with a deadline. A failed read decides nothing."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from prefect import get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from delivery.errors import Unavailable
from tasks.runs.retrying import worth_retrying

Seen = TypeVar("Seen")

# Options of each task that reads or changes another system. Without a cache: a second run must read again.
RETRIED: dict[str, Any] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": worth_retrying,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}


def poll_until(
    read: Callable[[], Seen], is_enough: Callable[[Seen], bool], *, poll: timedelta, deadline: timedelta
) -> tuple[Seen, bool]:
    """The last value that was read, and whether it was enough before the deadline.

    A read that raises Unavailable is logged and repeated. If the last read before the deadline raises Unavailable, so
    does this function: an earlier value may be out of date.
    """
    end = time.monotonic() + deadline.total_seconds()
    while True:
        try:
            seen = read()
        except Unavailable as error:
            if time.monotonic() >= end:
                raise
            get_run_logger().warning("%s Retrying.", error)
        else:
            if is_enough(seen):
                return seen, True
            if time.monotonic() >= end:
                return seen, False
        time.sleep(poll.total_seconds())
