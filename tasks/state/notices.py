"""Notifications to the channels of an environment: recorded first, then sent until a channel accepts them.

A channel can get a notification twice, with the same id.
"""

from collections.abc import Callable

from prefect import task

from blocks.notices import notify_slack
from clients.webhook import post_notice
from delivery.environment import Environment
from delivery.errors import DeliveryError, Unavailable
from delivery.journal.notices import AcceptedNotice, Notice, has_notice, select_undelivered
from delivery.journal.step_names import NOTICES
from delivery.release import Event
from tasks.runs.log import progress
from tasks.runs.waiting import RETRIED
from tasks.state.journal import append_to, read_journal

# A notification that no channel accepted is sent again with those of the next releases.
RELEASES_DELIVERED = 5

NO_CHANNEL = (
    "No notification channel is configured. Set [notices] slack_block, or set SLIPWAY_NOTICES__WEBHOOK_URL before "
    "slipway install."
)

Send = Callable[[Notice], None]


def notify(environment: Environment, number: int, event: str, text: str) -> None:
    """Record the notification and send it. A failure to send it is logged, and does not fail the release.

    number: of the release. event: name of the final state. The same notification is recorded only once.
    """
    if not has_notice(read_journal(environment, number), event, text):
        append_to(environment, number, NOTICES, Event.NOTICE, {"event": event, "text": text})
    if not channels_of(environment):
        progress(NO_CHANNEL)
        return
    if deliver_notices(environment, number, return_state=True).is_failed():
        progress("A channel did not accept its notifications. They are sent again with those of the next release.")


@task(**RETRIED, task_run_name="send the notifications")
def deliver_notices(environment: Environment, number: int) -> None:
    """Send the notifications of this release and of the ones before it that a channel has not accepted."""
    send_notices(environment, number)


def send_notices(environment: Environment, number: int) -> None:
    """Send what each of the last releases has not delivered. Raises the error of the newest release with a failure."""
    failure: DeliveryError | None = None
    for release in range(max(number - RELEASES_DELIVERED + 1, 1), number + 1):
        failure = send_notices_of(environment, release) or failure
    if failure is not None:
        raise failure


def send_notices_of(environment: Environment, number: int) -> DeliveryError | None:
    """Send what one release has not delivered. After a failure, the others are still sent."""
    failures: list[DeliveryError] = []
    channels = channels_of(environment)
    for notice, channel in select_undelivered(environment.name, number, read_journal(environment, number), channels):
        try:
            channels[channel](notice)
        except DeliveryError as error:
            failures.append(error)
        else:
            detail = AcceptedNotice(id=notice.id, channel=channel).model_dump()
            append_to(environment, number, NOTICES, Event.DELIVERED, detail)
    # Prefect retries the task only for Unavailable, so that one is returned if there is one.
    return next((error for error in failures if isinstance(error, Unavailable)), failures[0] if failures else None)


def channels_of(environment: Environment) -> dict[str, Send]:
    """How to send a notification to each configured channel."""
    notices = environment.notices
    channels: dict[str, Send] = {}
    if url := notices.webhook_url:
        channels["webhook"] = lambda notice: post_notice(url, notice.model_dump(), notice.id)
    if block := notices.slack_block:
        channels["slack"] = lambda notice: notify_slack(block, subject_of(notice), f"{notice.text}\n({notice.id})")
    return channels


def subject_of(notice: Notice) -> str:
    return f"{notice.environment}: release {notice.release}: {notice.event}"
