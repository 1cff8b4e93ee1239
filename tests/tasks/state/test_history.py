"""What a run's release changed, by the journal."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.environment import Environment
from delivery.release import Event
from tasks.state.history import may_have_effects, observe_last_release, read_journals_since
from tasks.state.journal import append_to, read_journal, take_number
from tests.environments import installed

RUN = str(uuid.uuid4())


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    return installed(tmp_path, monkeypatch)


def test_a_run_that_took_no_release_has_no_effects(environment: Environment) -> None:
    assert not may_have_effects("production", RUN)
    append_to(environment, take_number(environment, {"flow_run": "another"}), "Topics/views", Event.INTENDED)
    assert not may_have_effects("production", RUN)


def test_a_run_has_effects_once_its_release_intended_one(environment: Environment) -> None:
    number = take_number(environment, {"flow_run": RUN})
    append_to(environment, number, "Lock", Event.STARTED)
    assert not may_have_effects("production", RUN)
    append_to(environment, number, "Topics/views", Event.INTENDED)
    assert may_have_effects("production", RUN)


def test_a_run_has_effects_also_when_another_release_came_after_its_own(environment: Environment) -> None:
    number = take_number(environment, {"flow_run": RUN})
    append_to(environment, number, "Topics/views", Event.INTENDED)
    for _ in range(70):
        take_number(environment, {"flow_run": "another"})
    assert may_have_effects("production", RUN)


def test_a_release_whose_request_is_not_written_yet_hides_no_other(environment: Environment, tmp_path: Path) -> None:
    append_to(environment, take_number(environment, {"flow_run": RUN}), "Topics/views", Event.INTENDED)
    (tmp_path / "releases" / "production" / "2").mkdir()
    assert may_have_effects("production", RUN)


def test_journals_are_read_back_to_the_release_that_was_under_way(environment: Environment) -> None:
    for step in ("Topics/a", "Topics/b", "Topics/c"):
        append_to(environment, take_number(environment, {}), step, Event.INTENDED)
    second = read_journal(environment, 2)[0].at
    found = read_journals_since(environment, second + timedelta(microseconds=1))
    assert {number: journal[0].step for number, journal in found.items()} == {3: "Topics/c", 2: "Topics/b"}


def test_where_the_journal_cannot_be_read_effects_are_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_ENVIRONMENTS", "/nowhere")
    assert may_have_effects("production", RUN)


def test_a_release_that_never_ended_is_told_of(environment: Environment) -> None:
    assert observe_last_release.fn(environment) == ()
    append_to(environment, take_number(environment, {}), "Topics/views", Event.INTENDED)
    (told,) = observe_last_release.fn(environment)
    assert told.startswith("Release 1 did not end: its process stopped in Topics/views")
