"""Notifications to Slack, with a block that an operator created in the Prefect UI."""

from typing import Any, cast

from prefect.blocks.abstract import NotificationError
from prefect.blocks.notifications import SlackWebhook

from delivery.errors import SettingsError, Unavailable


def notify_slack(block_name: str, subject: str, body: str) -> None:
    """Send a notification. Raises SettingsError if the block does not exist, Unavailable if Slack did not accept it."""
    try:
        block = cast(Any, SlackWebhook.load(block_name))
    except ValueError as error:
        raise SettingsError(
            f"[notices] slack_block: Prefect has no SlackWebhook block {block_name!r}. Create it in the Prefect UI."
        ) from error
    try:
        # Without this, a message that Slack refused counts as sent.
        with block.raise_on_failure():
            block.notify(body, subject)
    except NotificationError as error:
        raise Unavailable(f"Slack did not accept the notification: {str(error) or 'no reason given'}.") from error
