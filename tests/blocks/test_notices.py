import pytest
from prefect.blocks.notifications import SlackWebhook
from pydantic import SecretStr

from blocks.notices import notify_slack
from delivery.errors import SettingsError, Unavailable
from tests.receivers import receiving


def save_block(name: str, url: str) -> None:
    SlackWebhook(url=SecretStr(url)).save(name, overwrite=True)  # pyright: ignore[reportCallIssue, reportUnusedCoroutine]


def test_a_notification_is_sent_with_the_block_of_that_name(prefect_server: str) -> None:
    with receiving() as receiver:
        save_block("team", receiver.url.replace("http://", "json://"))
        notify_slack("team", "production: release 7", "All well.")
    ((body, _),) = receiver.requests
    assert (body["title"], body["message"]) == ("production: release 7", "All well.")


def test_a_notification_that_slack_does_not_accept_is_an_error(prefect_server: str) -> None:
    with receiving() as receiver:
        receiver.answers = [500]
        save_block("team", receiver.url.replace("http://", "json://"))
        with pytest.raises(Unavailable, match="Slack did not accept the notification"):
            notify_slack("team", "production: release 7", "All well.")


def test_a_missing_block_is_named_with_its_setting(prefect_server: str) -> None:
    with pytest.raises(SettingsError, match=r"\[notices\] slack_block: .* 'missing'"):
        notify_slack("missing", "subject", "body")
