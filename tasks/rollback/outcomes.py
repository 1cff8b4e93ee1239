"""How a run ends: by a state whose name says it, whose message is the sentence the operator reads."""

import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from prefect import Flow, get_run_logger
from prefect.client.schemas import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from delivery.environment import Environment
from delivery.errors import (
    DeliveryError,
    Halted,
    Inconclusive,
    LockTaken,
    Refused,
    StopRequested,
    as_delivery_error,
)
from delivery.journal.step_names import rollout_step
from delivery.outcome import COMPLETED, NOTHING_TO_DO, outcome_of
from delivery.plan import ReleasePlan, describe_nothing_to_do
from delivery.release import Event, Record, Release
from delivery.rollback.compensation import (
    ending_after,
    ending_of_manual_rollback,
    ending_without_rollback,
    may_have_changed,
)
from tasks.rollback.rollback import read_state_at_start
from tasks.rollout.describe import describe_share, describe_traffic_state
from tasks.rollout.live import connect_rollout, read_rollout_spec
from tasks.runs.log import progress
from tasks.runs.run_logs import log_sentences_alone
from tasks.state.history import may_have_effects
from tasks.state.journal import append, read_journal
from tasks.state.notices import notify


def ending_by_name(body: Callable[..., Any]) -> Callable[..., Any]:
    """The flow's body, ended by `Failed(name=...)` instead of a traceback when a delivery error leaves it.

    The state keeps the error, so that a flow that calls this one gets it raised. A sentence that the body returns is
    the message of the completed state.

    body: has a parameter `environment`, the environment's name.
    """
    signature = inspect.signature(body)

    @wraps(body)
    def ended(*args: Any, **kwargs: Any) -> Any:
        log_sentences_alone()
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


def end_of(subflow: Flow[[Release], str], release: Release, what: str) -> str | BaseException:
    """What a flow that another calls says, or fails by. Where Prefect can make no run for it, it goes without one.

    what: begins a sentence, such as "The way back".
    """
    try:
        return subflow(release, return_state=True).result(raise_on_failure=False)
    except Exception as error:  # Prefect passes its client's errors on as they come.
        progress(f"{what} has no run in Prefect ({type(error).__name__}: {error}); it goes without one.")
    try:
        return subflow.fn(release)
    except Exception as error:
        return error


def level_of(error: DeliveryError) -> int:
    """What was refused, asked for or left open is no fault of anything."""
    is_asked_for = isinstance(error, Refused | LockTaken | Halted | Inconclusive)
    return logging.WARNING if is_asked_for else logging.ERROR


def nothing_to_do(plan: ReleasePlan) -> State:
    """No hold was taken, no release was counted."""
    return Completed(name=NOTHING_TO_DO.state_name, message=describe_nothing_to_do(plan))


def record_promotion(environment: Environment, release: Release) -> None:
    """For later releases and roll-backs; a journal that does not take it does not keep anybody from the result."""
    try:
        append(environment, release, rollout_step(read_rollout_spec(environment).rollout), Event.PROMOTED)
    except DeliveryError as error:
        progress(f"That release {release.number} was promoted could not be written to its journal: {error}")


def promoted(environment: Environment, release: Release, seen: str | BaseException) -> State:
    """The release's end, told to the environment's channels. seen: what the look at the result says, or fails by.

    Raises what the look raised, told as well: the traffic is where it was wanted, and something else is not.
    """
    serves = f"Release {release.number}: {release.artifact_digest} serves all traffic of {environment.name}."
    if isinstance(seen, BaseException):
        error = as_delivery_error(seen)
        tell(environment, release.number, outcome_of(error, has_effects=True).state_name, f"{serves} {error}")
        raise error
    tell(environment, release.number, COMPLETED.state_name, f"{serves} {seen}")
    return Completed(message=f"{serves} {seen}")


@contextmanager
def notifying_failure(environment: Environment, release: Release) -> Iterator[None]:
    """Around a way back that is a run of its own: what it fails by is told to the channels, as a release's is."""
    try:
        yield
    except Exception as failure:
        journal = find_journal(environment, release)
        error = ending_of_manual_rollback(as_delivery_error(failure), journal)
        notify_failure(environment, release, journal, error)
        raise error from failure


def rolled_back(environment: Environment, release: Release, seen: str) -> str:
    """The end of a roll-back by hand, told to the environment's channels."""
    tell(environment, release.number, COMPLETED.state_name, f"Rolled back by hand, as release {release.number}: {seen}")
    return seen


def failed(environment: Environment, release: Release, failure: Exception, back: str | BaseException) -> DeliveryError:
    """The error that the release ends by, told to the environment's channels. back: what the way back says."""
    reason = as_delivery_error(failure)
    journal = find_journal(environment, release)
    if isinstance(back, BaseException):
        error = ending_without_rollback(reason, as_delivery_error(back), journal)
    else:
        error = ending_after(reason, journal, back)
    notify_failure(environment, release, journal, error)
    return error


def halted(environment: Environment, release: Release, halt: Halted) -> DeliveryError:
    """The error that a release ends by which may go neither on nor back, told to the environment's channels.

    Nothing is taken back: it was asked to stop, or the environment is not its own any more.
    """
    journal = find_journal(environment, release)
    stands = describe_remaining_traffic(environment, release, halt)
    if stands:
        error = ending_without_rollback(halt, type(halt)(f"{halt} {stands}"), journal)
    else:
        error = ending_after(halt, journal, "")
    notify_failure(environment, release, journal, error)
    return error


def describe_remaining_traffic(environment: Environment, release: Release, halt: Halted) -> str:
    """Where the traffic stays; empty where the release did not touch the Rollout."""
    try:
        if read_state_at_start(environment, release) is None:
            return ""
        live = connect_rollout(environment)
        return describe_traffic_state(live) if isinstance(halt, StopRequested) else describe_share(live)
    except DeliveryError as error:
        return f"Nobody can tell where the traffic stays ({error}): see slipway status {environment.name}."


def find_journal(environment: Environment, release: Release) -> tuple[Record, ...] | None:
    """None where it cannot be read: the release ends by what its way back says all the same."""
    try:
        return read_journal(environment, release.number)
    except DeliveryError as error:
        progress(f"The journal of release {release.number} cannot be read: {error}")
        return None


def notify_failure(
    environment: Environment, release: Release, journal: tuple[Record, ...] | None, error: DeliveryError
) -> None:
    """By the name of the state that the run will end in."""
    event = outcome_of(error, may_have_changed(journal)).state_name
    tell(environment, release.number, event, f"Release {release.number}: {error}")


def tell(environment: Environment, number: int, event: str, text: str) -> None:
    """Notify of the release of this number; a store that is away does not change how it ended."""
    try:
        notify(environment, number, event, text)
    except DeliveryError as error:
        progress(f"Nobody was told: {error}")
