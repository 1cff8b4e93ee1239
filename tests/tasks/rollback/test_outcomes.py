"""Runs end by the name of their outcome, and by a sentence."""

from pathlib import Path

import pytest
from prefect import flow
from prefect.client.schemas import State

from delivery.errors import Refused, Unavailable
from delivery.plan import PartPlan, Phase, Step, StepAction, join_plan
from delivery.release import Event, Release
from tasks.rollback.outcomes import end_of, ending_by_name, nothing_to_do
from tasks.state.journal import append
from tasks.state.lock import lock_environment
from tests.environments import installed
from tests.flows.test_rollback import without_prefect

DIGEST = "sha256:" + "e" * 64


@flow
@ending_by_name
def look(environment: str = "production") -> str:
    return f"{environment} is well."


@flow
@ending_by_name
def refuse(environment: str = "production") -> str:
    raise Refused(f"{environment} is another account.")


def test_the_sentence_that_a_run_returns_is_its_last_word(prefect_server: str) -> None:
    state: State[str] = look(return_state=True)
    assert (state.name, state.message, state.result()) == ("Completed", "production is well.", "production is well.")


def test_an_error_is_the_state_that_it_means(
    prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    state: State[str] = refuse(return_state=True)
    assert state.is_failed()
    assert (state.name, state.message) == ("Refused", "production is another account. Nothing was touched.")


@pytest.mark.parametrize(("has_effect", "name"), [(False, "NotStarted"), (True, "Unfinished")])
def test_a_run_that_breaks_is_unfinished_once_its_release_had_an_effect(
    has_effect: bool,
    name: str,
    prefect_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = installed(tmp_path, monkeypatch)

    @flow
    @ending_by_name
    def break_off(environment: str) -> str:
        with lock_environment(settings, DIGEST, "plan", "test") as release:
            if has_effect:
                append(settings, release, "Topics/views", Event.INTENDED)
            raise Unavailable(f"{environment} does not answer.")

    assert break_off("production", return_state=True).name == name


def test_a_run_with_nothing_to_do_says_so_by_its_name(prefect_server: str) -> None:
    part = PartPlan(steps=(Step(phase=Phase.TOPICS, name="views", action=StepAction.NOTHING),))
    state = nothing_to_do(join_plan("production", DIGEST, [part], []))
    assert (state.is_completed(), state.name) == (True, "NothingToDo")


RELEASE = Release(environment="production", number=7, nonce="1", artifact_digest=DIGEST, plan_hash="p", lock_epoch=1)


@flow(name="verify-release")
def look_at(release: Release) -> str:
    return f"release {release.number} is well"


@flow(name="look-in-vain")
def look_in_vain(release: Release) -> str:
    raise Unavailable(f"release {release.number} cannot be seen")


def test_a_flow_that_another_calls_ends_by_what_it_says_or_fails_by(prefect_server: str) -> None:
    assert end_of(look_at, RELEASE, "The look") == "release 7 is well"
    failed = end_of(look_in_vain, RELEASE, "The look")
    assert (type(failed), str(failed)) == (Unavailable, "release 7 cannot be seen")


def test_a_flow_goes_without_a_run_where_prefect_is_away(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with without_prefect():
        assert end_of(look_at, RELEASE, "The look") == "release 7 is well"
        assert isinstance(end_of(look_in_vain, RELEASE, "The look"), Unavailable)
    assert "The look has no run in Prefect (ConnectError: " in caplog.text
