"""Telling the environment's channels: recorded first, then sent until a channel took it; at least once."""

from collections.abc import Callable

from prefect import task

from blocks.notices import notify_slack
from clients.webhook import post_notice
from delivery.environment import Environment
from delivery.errors import DeliveryError, Unavailable
from delivery.journal.notices import Notice, has_notice, undelivered
from delivery.journal.step_names import NOTICES
from delivery.release import Event
from tasks.runs.log import progress
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.journal import append_to, read_journal

# A notice that nobody took goes out with those of a later release.
RELEASES_LOOKED_AT = 5

NO_CHANNEL = (
    "Nobody is told of this end: SLIPWAY_NOTICES__WEBHOOK_URL, set before slipway install, or [notices] slack_block "
    "says whom to tell."
)

Send = Callable[[Notice], None]


def notify(environment: Environment, number: int, event: str, text: str) -> None:
    """Record the notice and deliver it; what a channel does not take now is told in the log and kept.

    number: of the release that it tells of. event: the name of the state that it tells of. Recorded once, however
    often it is asked for.
    """
    if not has_notice(read_journal(environment, number), event, text):
        append_to(environment, number, NOTICES, Event.NOTICE, {"event": event, "text": text})
    if not channels_of(environment):
        progress(NO_CHANNEL)
        return
    # A release does not fail because a channel is away.
    if deliver_notices(environment, number, return_state=True).is_failed():
        progress("Not every channel took its notices; they are kept, and sent again with the next release's.")


@task(**ASKED_AGAIN, task_run_name="tell the channels")
def deliver_notices(environment: Environment, number: int) -> None:
    """Send what this and the last releases have not delivered. Raises what the last channel said that took nothing."""
    failure: DeliveryError | None = None
    for release in range(max(number - RELEASES_LOOKED_AT + 1, 1), number + 1):
        failure = deliver_of(environment, release) or failure
    if failure is not None:
        raise failure


def deliver_of(environment: Environment, number: int) -> DeliveryError | None:
    """Sends what one release has not delivered. One channel's failure keeps no other from its notices."""
    failures: list[DeliveryError] = []
    channels = channels_of(environment)
    for notice, channel in undelivered(environment.name, number, read_journal(environment, number), channels):
        try:
            channels[channel](notice)
        except DeliveryError as error:
            failures.append(error)
        else:
            append_to(environment, number, NOTICES, Event.DELIVERED, {"id": notice.id, "channel": channel})
    # One that is worth retrying goes before one that is not.
    return next((error for error in failures if isinstance(error, Unavailable)), failures[0] if failures else None)


def channels_of(environment: Environment) -> dict[str, Send]:
    """How to send to each channel that is configured."""
    notices = environment.notices
    channels: dict[str, Send] = {}
    if url := notices.webhook_url:
        channels["webhook"] = lambda notice: post_notice(url, notice.model_dump(), notice.id)
    if block := notices.slack_block:
        channels["slack"] = lambda notice: notify_slack(block, subject_of(notice), f"{notice.text}\n({notice.id})")
    return channels


def subject_of(notice: Notice) -> str:
    return f"{notice.environment}: release {notice.release}: {notice.event}"
