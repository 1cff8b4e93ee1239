"""The one answer to "is it worth asking again?"."""

from typing import Any

from prefect.client.schemas.objects import State

from delivery.errors import Unavailable


def worth_retrying(task: Any, task_run: Any, state: State[Any]) -> bool:  # noqa: ARG001
    """True where a service was away or throttled; False for an answer that will not change.

    Prefect calls it with the failed state.
    """
    return isinstance(state.result(raise_on_failure=False), Unavailable)
