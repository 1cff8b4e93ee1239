import pytest
from pydantic import SecretStr

from clients.webhook import post_notice
from delivery.errors import Rejected, Unavailable
from tests.receivers import receiving

NOTICE = {"id": "production-7-1", "text": "All well."}


def test_a_notice_arrives_as_json_with_its_key() -> None:
    with receiving() as receiver:
        post_notice(SecretStr(receiver.url), NOTICE, "production-7-1")
    ((body, headers),) = receiver.taken
    assert body == NOTICE
    assert headers["Idempotency-Key"] == "production-7-1"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_webhook_that_is_busy_or_broken_is_worth_asking_again(status: int) -> None:
    with receiving() as receiver:
        receiver.answers = [status]
        with pytest.raises(Unavailable, match=f"answered {status}"):
            post_notice(SecretStr(receiver.url), NOTICE, "k")


@pytest.mark.parametrize("status", [301, 400, 404])
def test_a_webhook_that_refuses_will_refuse_again(status: int) -> None:
    with receiving() as receiver:
        receiver.answers = [status]
        with pytest.raises(Rejected, match=f"answered {status}"):
            post_notice(SecretStr(receiver.url), NOTICE, "k")


def test_a_webhook_that_is_away_does_not_give_its_address_away() -> None:
    with pytest.raises(Unavailable) as caught:
        post_notice(SecretStr("http://127.0.0.1:1/hooks/secret"), NOTICE, "k")
    assert "secret" not in str(caught.value)
