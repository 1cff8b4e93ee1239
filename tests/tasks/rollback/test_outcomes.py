"""A run ends in a state with the name of its outcome, and with a message."""

from pathlib import Path

import pytest
from prefect import flow
from prefect.client.schemas import State

from delivery.errors import Refused, Unavailable
from delivery.plan import PartPlan, Phase, Step, StepAction, join_plan
from delivery.release import Event, Release
from tasks.rollback.outcomes import end_with_outcome, nothing_to_do, run_subflow
from tasks.state.journal import append
from tasks.state.lock import lock_environment
from tests.environments import installed
from tests.flows.test_rollback import without_prefect

DIGEST = "sha256:" + "e" * 64


@flow
@end_with_outcome
def verify(environment: str = "production") -> str:
    return f"{environment} is healthy."


@flow
@end_with_outcome
def refuse(environment: str = "production") -> str:
    raise Refused(f"{environment} is another account.")


def test_the_string_that_a_run_returns_is_the_message_of_its_state(prefect_server: str) -> None:
    state: State[str] = verify(return_state=True)
    assert (state.name, state.message, state.result()) == (
        "Completed",
        "production is healthy.",
        "production is healthy.",
    )


def test_an_error_determines_the_name_of_the_state(
    prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    state: State[str] = refuse(return_state=True)
    assert state.is_failed()
    assert (state.name, state.message) == ("Refused", "production is another account. Nothing was changed.")


@pytest.mark.parametrize(("has_effect", "name"), [(False, "NotStarted"), (True, "Unfinished")])
def test_a_run_that_fails_is_unfinished_if_its_release_had_an_effect(
    has_effect: bool,
    name: str,
    prefect_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = installed(tmp_path, monkeypatch)

    @flow
    @end_with_outcome
    def fail(environment: str) -> str:
        with lock_environment(settings, DIGEST, "plan", "test") as context:
            if has_effect:
                append(context, "Topics/views", Event.INTENDED)
            raise Unavailable(f"{environment} does not answer.")

    assert fail("production", return_state=True).name == name


def test_a_run_with_nothing_to_do_ends_in_the_state_of_that_name(prefect_server: str) -> None:
    part = PartPlan(steps=(Step(phase=Phase.TOPICS, name="views", action=StepAction.NOTHING),))
    state = nothing_to_do(join_plan("production", DIGEST, [part], []))
    assert (state.is_completed(), state.name) == (True, "NothingToDo")


RELEASE = Release(environment="production", number=7, nonce="1", artifact_digest=DIGEST, plan_hash="p", lock_epoch=1)


@flow(name="verify-release")
def verify_release(release: Release) -> str:
    return f"release {release.number} is healthy"


@flow(name="fail-to-verify")
def fail_to_verify(release: Release) -> str:
    raise Unavailable(f"release {release.number} cannot be read")


def test_a_subflow_returns_its_sentence_or_the_error_that_it_fails_with(prefect_server: str) -> None:
    assert run_subflow(verify_release, RELEASE, "The verification") == "release 7 is healthy"
    error = run_subflow(fail_to_verify, RELEASE, "The verification")
    assert (type(error), str(error)) == (Unavailable, "release 7 cannot be read")


def test_a_subflow_runs_without_a_run_in_prefect_if_the_server_is_unavailable(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with without_prefect():
        assert run_subflow(verify_release, RELEASE, "The verification") == "release 7 is healthy"
        assert isinstance(run_subflow(fail_to_verify, RELEASE, "The verification"), Unavailable)
    assert "Prefect did not create a subflow run for the verification (ConnectError: " in caplog.text
