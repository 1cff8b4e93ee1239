"""Waiting for a condition: bounded, and never decided by a look that failed."""

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

# Options of every task that looks at the outside or changes it. Never from a cache: the second look has to look.
ASKED_AGAIN: dict[str, Any] = {
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": worth_retrying,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}


def poll_until(
    look: Callable[[], Seen], is_enough: Callable[[Seen], bool], *, poll: timedelta, deadline: timedelta
) -> tuple[Seen, bool]:
    """What was seen last, and whether it was enough before the deadline.

    A look that raises Unavailable decides nothing: it is logged and taken again, and where the last one before the
    deadline did, its error is raised. What was seen before it may be long past.
    """
    end = time.monotonic() + deadline.total_seconds()
    while True:
        try:
            seen = look()
        except Unavailable as error:
            if time.monotonic() >= end:
                raise
            get_run_logger().warning("%s Looking again.", error)
        else:
            if is_enough(seen):
                return seen, True
            if time.monotonic() >= end:
                return seen, False
        time.sleep(poll.total_seconds())
