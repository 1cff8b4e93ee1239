import pytest
from pydantic import SecretStr

from clients.webhook import post_notice
from delivery.errors import Rejected, Unavailable
from tests.receivers import receiving

NOTICE = {"id": "production-7-1", "text": "All well."}


def test_a_notification_arrives_as_json_with_its_key() -> None:
    with receiving() as receiver:
        post_notice(SecretStr(receiver.url), NOTICE, "production-7-1")
    ((body, headers),) = receiver.requests
    assert body == NOTICE
    assert headers["Idempotency-Key"] == "production-7-1"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_or_failed_webhook_is_worth_retrying(status: int) -> None:
    with receiving() as receiver:
        receiver.answers = [status]
        with pytest.raises(Unavailable, match=f"answered {status}"):
            post_notice(SecretStr(receiver.url), NOTICE, "k")


@pytest.mark.parametrize("status", [301, 400, 404])
def test_a_webhook_that_refuses_a_notification_is_not_worth_retrying(status: int) -> None:
    with receiving() as receiver:
        receiver.answers = [status]
        with pytest.raises(Rejected, match=f"answered {status}"):
            post_notice(SecretStr(receiver.url), NOTICE, "k")


def test_the_error_of_an_unreachable_webhook_does_not_contain_its_address() -> None:
    with pytest.raises(Unavailable) as caught:
        post_notice(SecretStr("http://127.0.0.1:1/hooks/secret"), NOTICE, "k")
    assert "secret" not in str(caught.value)
