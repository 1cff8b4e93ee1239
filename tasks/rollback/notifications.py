"""The notifications of how a release, a manual rollback or a recovery ends, and the end itself.

`notify_promotion` and `notify_manual_rollback` return the state or the message that a flow run ends with;
`end_failed_release` and `end_halted_release` return its error. All of them notify the channels.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.schemas import State
from prefect.states import Completed

from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, Halted, StopRequested, as_delivery_error
from delivery.journal.step_names import rollout_step
from delivery.outcome import COMPLETED, outcome_of
from delivery.release import Event, Record
from delivery.rollback.compensation import (
    final_error,
    final_error_of_manual_rollback,
    final_error_without_rollback,
    may_have_changed,
)
from tasks.rollback.rollback import read_state_at_start
from tasks.rollout.describe import describe_current_weights, describe_traffic_state
from tasks.rollout.live import connect_rollout, read_rollout_spec
from tasks.runs.log import progress
from tasks.state.journal import append, read_journal
from tasks.state.notices import notify


def record_promotion(context: ReleaseContext) -> None:
    """Record the promotion for later releases and rollbacks. If the journal cannot be written, only log that."""
    try:
        append(context, rollout_step(read_rollout_spec(context.environment).rollout), Event.PROMOTED)
    except DeliveryError as error:
        progress(
            f"The promotion of release {context.release.number} could not be written to its journal: {error} A later "
            "rollback to this revision may need --unverified."
        )


def notify_promotion(context: ReleaseContext, verification: str | BaseException) -> State:
    """The final state of a release whose revision has all traffic.

    verification: the sentence of the post-release verification, or the error that it failed with, which is raised.
    """
    release, environment = context.release, context.environment
    promoted = f"Release {release.number}: {release.artifact_digest} serves all traffic of {environment.name}."
    if isinstance(verification, BaseException):
        error = as_delivery_error(verification)
        event = outcome_of(error, has_effects=True).state_name
        try_to_notify(environment, release.number, event, f"{promoted} {error}")
        raise error
    message = f"{promoted} {verification}"
    try_to_notify(environment, release.number, COMPLETED.state_name, message)
    return Completed(message=message)


@contextmanager
def notifying_failure(context: ReleaseContext) -> Iterator[None]:
    """Around a manual rollback or a recovery: notify the channels of the error that it fails with."""
    try:
        yield
    except Exception as failure:
        journal = read_journal_if_possible(context)
        error = final_error_of_manual_rollback(as_delivery_error(failure), journal)
        notify_failure(context, journal, error)
        raise error from failure


def notify_manual_rollback(context: ReleaseContext, rollback: str) -> str:
    """The last message of a manual rollback. rollback: the sentence of the rollback."""
    number = context.release.number
    try_to_notify(
        context.environment, number, COMPLETED.state_name, f"Manual rollback, as release {number}: {rollback}"
    )
    return rollback


def end_failed_release(context: ReleaseContext, failure: Exception, rollback: str | BaseException) -> DeliveryError:
    """The error that a failed release ends with.

    rollback: the sentence of the compensation, empty if there was nothing to roll back, or the error that it failed
    with.
    """
    reason = as_delivery_error(failure)
    journal = read_journal_if_possible(context)
    if isinstance(rollback, BaseException):
        error = final_error_without_rollback(reason, as_delivery_error(rollback), journal)
    else:
        error = final_error(reason, journal, rollback)
    notify_failure(context, journal, error)
    return error


def end_halted_release(context: ReleaseContext, halt: Halted) -> DeliveryError:
    """The error that a release ends with after a stop request, or after it lost the lock.

    It is not rolled back: no further effect may start.
    """
    journal = read_journal_if_possible(context)
    traffic = describe_remaining_traffic(context, halt)
    if traffic:
        error = final_error_without_rollback(halt, type(halt)(f"{halt} {traffic}"), journal)
    else:
        error = final_error(halt, journal, "")
    notify_failure(context, journal, error)
    return error


def describe_remaining_traffic(context: ReleaseContext, halt: Halted) -> str:
    """Where the traffic is; empty if the release did not change the Rollout."""
    try:
        if read_state_at_start(context) is None:
            return ""
        live = connect_rollout(context.environment)
        return describe_traffic_state(live) if isinstance(halt, StopRequested) else describe_current_weights(live)
    except DeliveryError as error:
        return f"The traffic split is unknown ({error}). To read it: slipway status {context.environment.name}."


def read_journal_if_possible(context: ReleaseContext) -> tuple[Record, ...] | None:
    """None if it cannot be read. The release then ends all the same, with a message that says less."""
    try:
        return read_journal(context.environment, context.release.number)
    except DeliveryError as error:
        progress(f"The journal of release {context.release.number} cannot be read: {error}")
        return None


def notify_failure(context: ReleaseContext, journal: tuple[Record, ...] | None, error: DeliveryError) -> None:
    """The event is the name of the final state in which the run will end."""
    event = outcome_of(error, may_have_changed(journal)).state_name
    try_to_notify(context.environment, context.release.number, event, f"Release {context.release.number}: {error}")


def try_to_notify(environment: Environment, number: int, event: str, text: str) -> None:
    """Notify the channels of the release with this number. An error of the store does not change how it ended."""
    try:
        notify(environment, number, event, text)
    except DeliveryError as error:
        progress(f"No notification was sent: {error}")
