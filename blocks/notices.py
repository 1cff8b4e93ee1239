"""Slack, by the block that an operator made in Prefect's UI."""

from typing import Any, cast

from prefect.blocks.abstract import NotificationError
from prefect.blocks.notifications import SlackWebhook

from delivery.errors import SettingsError, Unavailable


def notify_slack(block_name: str, subject: str, body: str) -> None:
    """Back once Slack took it. Raises SettingsError without such a block, Unavailable where Slack did not take it."""
    try:
        block = cast(Any, SlackWebhook.load(block_name))
    except ValueError as error:
        raise SettingsError(
            f"notices.slack_block: Prefect has no SlackWebhook block named {block_name!r}. Make it in Prefect's UI."
        ) from error
    try:
        # Without this a message that Slack refused passes for sent.
        with block.raise_on_failure():
            block.notify(body, subject)
    except NotificationError as error:
        raise Unavailable(f"Slack did not take the notice: {str(error) or 'no reason given'}.") from error
