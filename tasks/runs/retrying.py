"""Which failed tasks Prefect retries."""

from typing import Any

from prefect.client.schemas.objects import State

from delivery.errors import Unavailable


def worth_retrying(task: Any, task_run: Any, state: State[Any]) -> bool:  # noqa: ARG001
    """True if a service was unavailable or throttled the request. False for any other error.

    Prefect calls it with the failed state.
    """
    return isinstance(state.result(raise_on_failure=False), Unavailable)
