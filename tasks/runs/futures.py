"""How a submitted task run ended."""

from typing import TypeVar

from prefect.futures import PrefectFuture

from delivery.errors import DeliveryError

Value = TypeVar("Value")


def end_of_run(run: PrefectFuture[Value]) -> Value | DeliveryError:
    """Wait for the run. Returns its value or its DeliveryError; raises every other error."""
    end = run.result(raise_on_failure=False)
    if isinstance(end, BaseException) and not isinstance(end, DeliveryError):
        raise end
    return end
