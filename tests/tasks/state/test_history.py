"""Whether a run has effects, and which releases did not end, according to the journals."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.environment import Environment
from delivery.errors import Conflict
from delivery.release import Event, ReleaseRequest
from tasks.state.history import find_unfinished, may_have_effects, read_journals_since
from tasks.state.journal import append_to, read_journal, read_request, request_key, reserve_number
from tasks.state.leases import system_now
from tasks.state.lock import acquire_lock, lock_environment
from tests.environments import installed

DIGEST = "sha256:" + "c" * 64
RUN = str(uuid.uuid4())
OWN, OTHER = ReleaseRequest(flow_run=RUN), ReleaseRequest(flow_run="another")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    return installed(tmp_path, monkeypatch)


def test_a_run_without_a_release_has_no_effects(environment: Environment) -> None:
    assert not may_have_effects("production", RUN)
    append_to(environment, reserve_number(environment, OTHER), "Topics/views", Event.INTENDED)
    assert not may_have_effects("production", RUN)


def test_a_run_has_effects_once_its_release_intended_one(environment: Environment) -> None:
    number = reserve_number(environment, OWN)
    append_to(environment, number, "Lock", Event.STARTED)
    assert not may_have_effects("production", RUN)
    append_to(environment, number, "Topics/views", Event.INTENDED)
    assert may_have_effects("production", RUN)


def test_a_run_has_effects_also_if_other_releases_followed(environment: Environment) -> None:
    number = reserve_number(environment, OWN)
    append_to(environment, number, "Topics/views", Event.INTENDED)
    for _ in range(70):
        reserve_number(environment, OTHER)
    assert may_have_effects("production", RUN)


def test_a_release_without_a_stored_request_does_not_hide_another_release(
    environment: Environment, tmp_path: Path
) -> None:
    append_to(environment, reserve_number(environment, OWN), "Topics/views", Event.INTENDED)
    (tmp_path / "releases" / "production" / "2").mkdir()
    assert may_have_effects("production", RUN)


def test_journals_are_read_since_the_release_that_was_in_progress(environment: Environment) -> None:
    for step in ("Topics/a", "Topics/b", "Topics/c"):
        append_to(environment, reserve_number(environment, ReleaseRequest()), step, Event.INTENDED)
    second = read_journal(environment, 2)[0].at
    found = read_journals_since(environment, second + timedelta(microseconds=1))
    assert {number: journal[0].step for number, journal in found.items()} == {3: "Topics/c", 2: "Topics/b"}


def test_a_run_may_have_effects_if_its_journal_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_ENVIRONMENTS", "/nowhere")
    assert may_have_effects("production", RUN)


def test_an_object_that_is_not_a_request_is_a_conflict(environment: Environment, tmp_path: Path) -> None:
    number = reserve_number(environment, OTHER)
    (tmp_path / request_key(environment, number)).write_text("[]")
    with pytest.raises(Conflict, match=r"request\.json is not the request of a release\. Read it, then move it"):
        read_request(environment, number)
    assert may_have_effects("production", RUN)


def begin_without_end(environment: Environment) -> None:
    append_to(environment, reserve_number(environment, ReleaseRequest()), "Topics/views", Event.INTENDED)


def test_a_release_that_did_not_end_is_found(environment: Environment) -> None:
    assert find_unfinished(environment) == ()
    begin_without_end(environment)
    (sentence,) = find_unfinished(environment)
    assert sentence.startswith("Release 1 has no recorded end. Its process died during Topics/views")


def test_a_release_in_progress_is_not_reported_until_its_lock_has_expired(environment: Environment) -> None:
    with lock_environment(environment, DIGEST, "hash", "in progress"):
        assert find_unfinished(environment) == ()
        (sentence,) = find_unfinished(environment, datetime.now(UTC) + timedelta(hours=1))
        assert sentence.startswith("Release 1 has no recorded end. Its process died before its first change")
    assert find_unfinished(environment) == ()


def test_under_the_lock_the_release_before_the_own_one_is_reported(environment: Environment) -> None:
    begin_without_end(environment)
    with lock_environment(environment, DIGEST, "hash", "own"):
        (sentence,) = find_unfinished(environment)
    assert sentence.startswith("Release 1 has no recorded end.")


def test_a_release_before_one_that_ended_is_not_reported(environment: Environment) -> None:
    begin_without_end(environment)
    with lock_environment(environment, DIGEST, "hash", "ends"):
        pass
    assert find_unfinished(environment) == ()


def test_nothing_is_reported_while_a_release_has_the_lock_and_no_number_yet(environment: Environment) -> None:
    begin_without_end(environment)
    _, lease = acquire_lock(environment, DIGEST, "begins", wait=False, now=system_now)
    assert find_unfinished(environment) == ()
    lease.release()
    assert len(find_unfinished(environment)) == 1
