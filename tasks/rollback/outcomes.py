"""How a flow run ends: a final state with the name of its outcome, and a message that the operator reads."""

import inspect
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from prefect import Flow, get_run_logger
from prefect.client.schemas import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from delivery.errors import DeliveryError, Halted, Inconclusive, LockTaken, Refused
from delivery.outcome import NOTHING_TO_DO, outcome_of
from delivery.plan import ReleasePlan, describe_nothing_to_do
from delivery.release import Release
from tasks.runs.log import progress
from tasks.runs.run_logs import log_without_tracebacks
from tasks.state.history import may_have_effects


def end_with_outcome(body: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a flow's body: a DeliveryError ends the run in `Failed(name=...)` without a traceback.

    The state keeps the error, so that a flow that calls this one gets it raised. If the body returns a string, it is
    the message of the completed state.

    body: has a parameter `environment`, the name of the environment.
    """
    signature = inspect.signature(body)

    @wraps(body)
    def ended(*args: Any, **kwargs: Any) -> Any:
        log_without_tracebacks()
        try:
            end = body(*args, **kwargs)
            return Completed(data=end, message=end) if isinstance(end, str) else end
        except DeliveryError as error:
            get_run_logger().log(level_of(error), "%s", error)
            called = signature.bind(*args, **kwargs)
            called.apply_defaults()
            outcome = outcome_of(error, may_have_effects(called.arguments["environment"], str(flow_run.id)))
            return Failed(data=error, name=outcome.state_name, message=str(error))

    return ended


def run_subflow(subflow: Flow[[Release], str], release: Release, name: str) -> str | BaseException:
    """The sentence that a subflow returns, or the error that it fails with.

    If Prefect's server cannot create a run for it, it runs without one: a rollback must not depend on the server.

    name: begins a sentence, such as "The rollback".
    """
    try:
        return subflow(release, return_state=True).result(raise_on_failure=False)
    except Exception as error:  # Prefect raises its client's errors unchanged.
        what = name[0].lower() + name[1:]
        reason = f"{type(error).__name__}: {error}"
        progress(f"Prefect did not create a subflow run for {what} ({reason}). {name} continues without one.")
    try:
        return subflow.fn(release)
    except Exception as error:
        return error


def level_of(error: DeliveryError) -> int:
    """WARNING for what was refused, stopped on request or left without an answer; ERROR for a failure."""
    is_expected = isinstance(error, Refused | LockTaken | Halted | Inconclusive)
    return logging.WARNING if is_expected else logging.ERROR


def nothing_to_do(plan: ReleasePlan) -> State:
    """The final state of a release without changes. It did not acquire the lock and has no number."""
    return Completed(name=NOTHING_TO_DO.state_name, message=describe_nothing_to_do(plan))
