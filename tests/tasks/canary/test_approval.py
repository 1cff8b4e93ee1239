from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State, StateType
from prefect.input import keyset_from_base_key, keyset_from_paused_state, read_flow_run_input
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Paused, Running

from delivery.application.planning import CanaryRun
from delivery.canary.counts import Counts
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import Analysis, Move, PauseAction, Verdict
from delivery.environment import Environment
from delivery.errors import DeliveryError, LockLost, NotPromoted, Rejected, StopRequested
from delivery.release import Event, Release
from delivery.rollout.manifests import CanaryStep
from sandbox.aws.client import client
from sandbox.testing import PATIENCE, eventually
from tasks.canary.approval import require_approval, wait_for_approval
from tasks.canary.approval_form import Decision, Question
from tasks.canary.watch import Watch
from tasks.state.journal import read_journal
from tests.aws import ALARM
from tests.environments import production, production_policy
from tests.lossy import lossy_prefect
from tests.shop import Shop
from tests.tasks.canaries import install, stand_at_first_pause

RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", lock_epoch=1
)
STEP = CanaryStep(1, 20)
CANARY = CanaryRun("stable", "canary", "image", (STEP,))
UNSURE = Analysis(Verdict.INCONCLUSIVE, "too few requests", Counts(), Counts())
ASKED = Move(PauseAction.ASK, UNSURE, "no proof: too few requests; a person decides")


def asking(folder: Path, seconds: float) -> Environment:
    base = production(folder)
    update = {"approval_timeout": timedelta(seconds=seconds), "poll": timedelta(milliseconds=200)}
    return base.model_copy(update={"canary": base.canary.model_copy(update=update)})


def see_nothing() -> None:
    """A look at a canary in which nothing has changed."""


@flow
def roll_out(environment: Environment, answer: dict[str, Any] | None, look: Callable[[], None]) -> str:
    with answering(flow_run.id, answer):
        return wait_for_approval(environment, STEP, ASKED, look)


def state_of(run: Any) -> State[Any]:
    with get_client(sync_client=True) as api:
        state = api.read_flow_run(run).state
    assert state is not None
    return state


@contextmanager
def answering(run: Any, answer: dict[str, Any] | None) -> Iterator[None]:
    """Somebody resumes the run within the block, once it waits; nobody does without an answer."""
    person = Thread(target=resume, args=(run, answer))
    if answer:
        person.start()
    yield
    if answer:
        person.join()


def resume(run: Any, answer: dict[str, Any]) -> None:
    with get_client(sync_client=True) as api:
        eventually(lambda: (state := api.read_flow_run(run).state) and state.is_paused())
        api.resume_flow_run(run, run_input=answer)


def test_a_proof_asks_nobody(tmp_path: Path) -> None:
    proved = Move(PauseAction.ADVANCE, Analysis(Verdict.PASS, "98 % succeeded", Counts(), Counts()), "98 % succeeded")
    evidence = Evidence.begin(production_policy(), 20, datetime.now(UTC))
    approval = require_approval(production(tmp_path), RELEASE, CANARY, STEP, evidence, proved)
    assert approval == (evidence, "98 % succeeded")


def test_a_person_may_let_the_canary_go_on_and_says_why(prefect_server: str, tmp_path: Path) -> None:
    said = roll_out(asking(tmp_path, PATIENCE), {"promote": True, "reason": "nobody shops at night"}, see_nothing)
    assert said == f"{ASKED.line}: nobody shops at night"


def test_a_person_may_refuse(prefect_server: str, tmp_path: Path) -> None:
    with pytest.raises(NotPromoted, match=r"past 20 %: no proof.* The answer was no: wait for the morning\.") as no:
        roll_out(asking(tmp_path, PATIENCE), {"promote": False, "reason": "wait for the morning"}, see_nothing)
    assert not no.value.is_failure


def test_a_question_that_nobody_answers_promotes_nothing(prefect_server: str, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    with pytest.raises(NotPromoted, match=r"a person decides\. Nobody answered\."):
        roll_out(asking(tmp_path, 2), None, see_nothing)
    assert datetime.now(UTC) - began > timedelta(seconds=2)


@flow
def go_on_without_an_answer(environment: Environment) -> str:
    with pytest.raises(NotPromoted, match="Nobody answered"):
        wait_for_approval(environment, STEP, ASKED, see_nothing)
    return state_of(flow_run.id).type.value


def test_a_run_whose_question_nobody_answered_ends_as_it_wants(prefect_server: str, tmp_path: Path) -> None:
    assert go_on_without_an_answer(asking(tmp_path, 1)) == "RUNNING"


@pytest.mark.parametrize(
    "error",
    [
        NotPromoted("harm is proven", is_failure=True),
        StopRequested("ana@desk asked this release to stop"),
        LockLost("the hold was lost"),
    ],
)
def test_what_a_look_finds_while_a_person_is_asked_ends_the_question(
    error: DeliveryError, prefect_server: str, tmp_path: Path
) -> None:
    found_at: list[State[Any]] = []

    def look() -> None:
        found_at.append(state_of(flow_run.id))
        if len(found_at) == 2:
            raise error

    ended = roll_out(asking(tmp_path, PATIENCE), None, look, return_state=True)
    assert [state.name for state in found_at] == ["Paused", "Paused"]
    assert ended.is_failed()
    assert ended.result(raise_on_failure=False) is error


def test_the_form_says_what_is_asked(prefect_server: str, tmp_path: Path) -> None:
    descriptions: list[Any] = []

    def look() -> None:
        keyset = state_of(flow_run.id).state_details.run_input_keyset
        assert keyset is not None
        descriptions.append(read_flow_run_input(keyset["description"]))

    with pytest.raises(NotPromoted):
        roll_out(asking(tmp_path, 1), None, look)
    assert set(descriptions) == {f"{ASKED.line}. Does the canary go on?"}


def test_a_server_that_is_away_answers_nothing(prefect_server: str) -> None:
    question = Question(uuid4(), "1", keyset_from_base_key("paused-1"))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert question.read_answer() is None


def new_question(api: SyncPrefectClient) -> Question:
    """That of a run which is under way here, and has not been paused yet."""
    run, pause = api.create_flow_run(go_on_without_an_answer, state=Running()).id, uuid4().hex
    return Question(run, pause, keyset_from_paused_state(Paused(pause_key=pause)))


def test_a_server_that_has_too_much_to_do_does_not_end_the_question(prefect_server: str) -> None:
    with get_client(sync_client=True) as api:
        question = new_question(api)
    question.put("Does the canary go on?", timedelta(minutes=1))
    with lossy_prefect(prefect_server) as connection:
        connection.throttled = 1
        assert question.read_answer() is None
        assert connection.throttled == 0


@pytest.mark.parametrize("written", ["/set_state", "/input"])
def test_a_question_of_which_an_answer_of_the_server_is_lost_is_put_all_the_same(
    written: str, prefect_server: str
) -> None:
    with get_client(sync_client=True) as api:
        question = new_question(api)
        with lossy_prefect(prefect_server, written) as connection:
            connection.lost = 1
            question.put("Does the canary go on?", timedelta(minutes=1))
            assert connection.lost == 0
    assert read_flow_run_input(question.keyset["description"], question.run) == "Does the canary go on?"
    resume(question.run, {"promote": True, "reason": "nobody shops at night"})
    assert question.read_answer() == Decision(promote=True, reason="nobody shops at night")


def test_a_run_that_somebody_paused_before_is_not_asked_in(prefect_server: str) -> None:
    with get_client(sync_client=True) as api:
        question = new_question(api)
        api.set_flow_run_state(question.run, Paused(timeout_seconds=60, pause_key="somebody"))
    with pytest.raises(
        Rejected, match=r"so that nobody was asked: Cannot pause flows that are not currently running\."
    ):
        question.put("Does the canary go on?", timedelta(minutes=1))


@flow
def cancel_and_go_back(environment: Environment, ended: StateType) -> str:
    """As a release whose canary is cancelled while a person is asked about it; how the canary's run ended."""
    runs: list[Any] = []

    def look() -> None:
        runs.append(flow_run.id)
        with get_client(sync_client=True) as api:
            api.set_flow_run_state(flow_run.id, State(type=ended))

    with pytest.raises(NotPromoted, match=rf"no: the run was ended meanwhile, its state is {ended.title()}\.$"):
        roll_out(environment, None, look)
    assert len(runs) == 1
    return state_of(flow_run.id).type.value


@pytest.mark.parametrize("ended", [StateType.CANCELLING, StateType.CANCELLED, StateType.CRASHED])
def test_somebody_who_cancels_the_paused_run_refuses_the_canary_at_once(
    ended: StateType, prefect_server: str, tmp_path: Path
) -> None:
    assert cancel_and_go_back(asking(tmp_path, PATIENCE), ended) == "RUNNING"


@flow
def ask_about(
    shop: Shop, release: Release, canary: CanaryRun, evidence: Evidence, answer: dict[str, Any] | None
) -> tuple[Evidence, str]:
    with answering(flow_run.id, answer):
        return require_approval(shop.environment, release, canary, canary.steps[0], evidence, ASKED)


def test_a_yes_is_followed_by_one_more_look(shop: Shop, prefect_server: str) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        asked = Watch.begin(live, release, canary, canary.steps[0], None).evidence
        answer = {"promote": True, "reason": "nobody shops at night"}
        seen, approval = ask_about(shop, release, canary, asked, answer)
    assert approval.startswith(f"{ASKED.line}: nobody shops at night; looked at once more after that: no requests")
    assert seen.read_until >= asked.read_until


def test_proof_against_a_canary_is_acted_on_while_a_person_is_asked(shop: Shop, prefect_server: str) -> None:
    canary_settings = shop.environment.canary.model_copy(update={"approval_timeout": timedelta(seconds=PATIENCE)})
    shop = replace(shop, environment=shop.environment.model_copy(update={"canary": canary_settings}))
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    name = f"{shop.environment.prefix}-{shop.namespace}"
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        live, canary = stand_at_first_pause(shop, release)
        evidence = Watch.begin(live, release, canary, canary.steps[0], None).evidence
        cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 failed")
        ended = ask_about(shop, release, canary, evidence, None, return_state=True)
        cloudwatch.delete_alarms(AlarmNames=[name])
    assert ended.is_failed()
    stopped = ended.result(raise_on_failure=False)
    assert isinstance(stopped, NotPromoted)
    assert str(stopped) == (
        "The canary was not promoted past 30 %, while a person was asked: "
        f"an alarm began to ring during the canary: {name} (12 failed)."
    )
    assert stopped.is_failure
    journal = read_journal(shop.environment, release.number)
    assert [record.detail["verdict"] for record in journal if record.event is Event.JUDGED] == ["fail"]
