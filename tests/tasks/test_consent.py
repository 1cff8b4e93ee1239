from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from delivery.application import CanaryRun
from delivery.canary import Counts
from delivery.environment import Environment
from delivery.errors import NotPromoted
from delivery.evidence import Evidence
from delivery.manifests import CanaryStep
from delivery.release import Release
from delivery.verdict import Action, Analysis, Move, Verdict
from tasks.consent import ask_for_consent, require_consent
from tests.environments import production, production_policy
from tests.sandbox.polling import eventually

RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", hold_epoch=1
)
STEP = CanaryStep(1, 20)
CANARY = CanaryRun("stable", "canary", "image", (STEP,))
UNSURE = Analysis(Verdict.INCONCLUSIVE, "too few requests", Counts(), Counts())
ASKED = Move(Action.ASK, UNSURE, "no proof: too few requests; a person decides")


def asking(folder: Path, seconds: float) -> Environment:
    base = production(folder)
    update = {"answer_deadline": timedelta(seconds=seconds)}
    return base.model_copy(update={"canary": base.canary.model_copy(update=update)})


@flow
def roll_out(environment: Environment, answer: dict[str, Any] | None) -> str:
    with answering(flow_run.id, answer):
        return ask_for_consent(environment, STEP, ASKED)


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
        eventually(lambda: (state := api.read_flow_run(run).state) and state.is_paused(), 20)
        api.resume_flow_run(run, run_input=answer)


def test_a_proof_asks_nobody(tmp_path: Path) -> None:
    proved = Move(Action.ADVANCE, Analysis(Verdict.PASS, "98 % succeeded", Counts(), Counts()), "98 % succeeded")
    evidence = Evidence.begin(production_policy(), 20, datetime.now(UTC))
    consent = require_consent(production(tmp_path), RELEASE, CANARY, STEP, evidence, proved)
    assert consent == (evidence, "98 % succeeded")


def test_a_person_may_let_the_canary_go_on_and_says_why(prefect_server: str, tmp_path: Path) -> None:
    said = roll_out(asking(tmp_path, 10), {"promote": True, "reason": "nobody shops at night"})
    assert said == f"{ASKED.line}: nobody shops at night"


def test_a_person_may_refuse(prefect_server: str, tmp_path: Path) -> None:
    with pytest.raises(NotPromoted, match=r"past 20 %: no proof.* The answer was no: wait for the morning\.") as no:
        roll_out(asking(tmp_path, 10), {"promote": False, "reason": "wait for the morning"})
    assert not no.value.is_failure


def test_a_question_that_nobody_answers_promotes_nothing(prefect_server: str, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    with pytest.raises(NotPromoted, match=r"a person decides\. Nobody answered\."):
        roll_out(asking(tmp_path, 2), None)
    assert datetime.now(UTC) - began > timedelta(seconds=2)
