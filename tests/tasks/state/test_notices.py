from pathlib import Path

import pytest
from prefect import flow
from pydantic import SecretStr

from delivery.environment import Environment
from delivery.errors import Rejected, Unavailable
from delivery.release import Event, Release
from tasks.state.journal import append, read_journal
from tasks.state.lock import lock_environment
from tasks.state.notices import deliver_notices, notify
from tests.environments import production
from tests.receivers import receiving

DIGEST = "sha256:" + "c" * 64


def telling(store: Path, url: str) -> Environment:
    environment = production(store)
    notices = environment.notices.model_copy(update={"webhook_url": SecretStr(url)})
    return environment.model_copy(update={"notices": notices})


def record_notice(environment: Environment, release: Release, text: str) -> None:
    append(environment, release, "Notices", Event.NOTICE, {"event": "Completed", "text": text})


def test_a_notice_is_sent_once_and_that_is_recorded(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = telling(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "try") as release:
            record_notice(environment, release, "All well.")
            deliver_notices.fn(environment, release.number)
            deliver_notices.fn(environment, release.number)
    assert [body["text"] for body, _ in receiver.taken] == ["All well."]
    assert receiver.taken[0][0] == {
        "id": "production-1-1",
        "environment": "production",
        "release": 1,
        "event": "Completed",
        "text": "All well.",
    }


def test_a_notice_that_was_not_taken_is_sent_again_under_its_id(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = telling(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "try") as release:
            record_notice(environment, release, "All well.")
            receiver.answers = [503]
            with pytest.raises(Unavailable):
                deliver_notices.fn(environment, release.number)
            deliver_notices.fn(environment, release.number)
    assert [body["id"] for body, _ in receiver.taken] == ["production-1-1"] * 2


def test_a_notice_that_was_refused_keeps_no_later_one_back(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = telling(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "try") as release:
            record_notice(environment, release, "Odd.")
            record_notice(environment, release, "All well.")
            receiver.answers = [400]
            with pytest.raises(Rejected):
                deliver_notices.fn(environment, release.number)
    assert [body["text"] for body, _ in receiver.taken] == ["Odd.", "All well."]


def test_a_notice_that_was_left_goes_out_with_the_next_releases(tmp_path: Path) -> None:
    with receiving() as receiver:
        environment = telling(tmp_path, receiver.url)
        with lock_environment(environment, DIGEST, "hash", "first") as release:
            record_notice(environment, release, "First.")
        with lock_environment(environment, DIGEST, "hash", "second") as release:
            record_notice(environment, release, "Second.")
            deliver_notices.fn(environment, release.number)
    assert [body["text"] for body, _ in receiver.taken] == ["First.", "Second."]
    assert read_journal(environment, 1)[-1].event is Event.DELIVERED


def test_a_release_does_not_fail_because_its_channel_refuses(tmp_path: Path, prefect_server: str) -> None:
    with receiving() as receiver:
        environment = telling(tmp_path, receiver.url)
        receiver.answers = [400]

        @flow
        def tell() -> str:
            with lock_environment(environment, DIGEST, "hash", "try") as release:
                notify(environment, release.number, "Completed", "All well.")
                notify(environment, release.number, "Completed", "All well.")
            return "done"

        assert tell() == "done"
    journal = read_journal(environment, 1)
    assert [record.event for record in journal] == [Event.STARTED, Event.NOTICE, Event.DELIVERED, Event.ENDED]
    assert journal[-1].detail == {"outcome": "Completed", "message": "All well."}


def test_without_a_channel_the_notice_is_still_in_the_journal(tmp_path: Path, prefect_server: str) -> None:
    environment = production(tmp_path)

    @flow
    def tell() -> None:
        with lock_environment(environment, DIGEST, "hash", "try") as release:
            notify(environment, release.number, "RolledBack", "It failed.")

    tell()
    assert read_journal(environment, 1)[1].detail == {"event": "RolledBack", "text": "It failed."}
