from pathlib import Path

import pytest
from prefect import flow
from pydantic import SecretStr

from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import Rejected, Unavailable
from delivery.release import Event
from tasks.state.journal import append, read_journal
from tasks.state.lock import lock_environment
from tasks.state.notices import notify, send_notices
from tests.environments import production
from tests.receivers import receiving

DIGEST = "sha256:" + "c" * 64


def with_webhook(store: Path, url: str) -> Environment:
    environment = production(store)
    notices = environment.notices.model_copy(update={"webhook_url": SecretStr(url)})
    return environment.model_copy(update={"notices": notices})


def record_notice(context: ReleaseContext, text: str) -> None:
    append(context, "Notices", Event.NOTICE, {"event": "Completed", "text": text})


def test_a_notification_is_sent_once_and_its_delivery_is_recorded(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = with_webhook(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "try") as context:
            record_notice(context, "All well.")
            send_notices(environment, context.release.number)
            send_notices(environment, context.release.number)
    assert [body["text"] for body, _ in receiver.requests] == ["All well."]
    assert receiver.requests[0][0] == {
        "id": "production-1-1",
        "environment": "production",
        "release": 1,
        "event": "Completed",
        "text": "All well.",
    }


def test_a_notification_that_was_not_accepted_is_sent_again_with_the_same_id(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = with_webhook(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "try") as context:
            record_notice(context, "All well.")
            receiver.answers = [503]
            with pytest.raises(Unavailable):
                send_notices(environment, context.release.number)
            send_notices(environment, context.release.number)
    assert [body["id"] for body, _ in receiver.requests] == ["production-1-1"] * 2


def test_a_notification_that_was_refused_does_not_prevent_the_next_one(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = with_webhook(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "try") as context:
            record_notice(context, "Odd.")
            record_notice(context, "All well.")
            receiver.answers = [400]
            with pytest.raises(Rejected):
                send_notices(environment, context.release.number)
    assert [body["text"] for body, _ in receiver.requests] == ["Odd.", "All well."]


def test_an_undelivered_notification_is_sent_with_those_of_the_next_release(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = with_webhook(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "first") as context:
            record_notice(context, "First.")
        with lock_environment(environment, DIGEST, "hash", "second") as context:
            record_notice(context, "Second.")
            send_notices(environment, context.release.number)
    assert [body["text"] for body, _ in receiver.requests] == ["First.", "Second."]
    assert read_journal(environment, 1)[-1].event is Event.DELIVERED


def test_a_release_does_not_fail_if_its_channel_refuses(tmp_path: Path, prefect_server: str) -> None:
    with receiving() as receiver:
        environment = with_webhook(tmp_path, receiver.url)
        receiver.answers = [400]

        @flow
        def notifying() -> str:
            with lock_environment(environment, DIGEST, "hash", "try") as context:
                notify(environment, context.release.number, "Completed", "All well.")
                notify(environment, context.release.number, "Completed", "All well.")
            return "done"

        assert notifying() == "done"
    journal = read_journal(environment, 1)
    assert [record.event for record in journal] == [Event.STARTED, Event.NOTICE, Event.DELIVERED, Event.ENDED]
    assert journal[-1].detail == {"outcome": "Completed", "message": "All well."}


def test_without_a_channel_the_notification_is_in_the_journal(tmp_path: Path, prefect_server: str) -> None:
    environment = production(tmp_path)

    @flow
    def notifying() -> None:
        with lock_environment(environment, DIGEST, "hash", "try") as context:
            notify(environment, context.release.number, "RolledBack", "It failed.")

    notifying()
    assert read_journal(environment, 1)[1].detail == {"event": "RolledBack", "text": "It failed."}
