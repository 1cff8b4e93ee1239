from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.input import read_flow_run_input
from prefect.runtime import flow_run

from delivery.application.planning import CanaryRun
from delivery.canary.counts import Counts
from delivery.canary.evidence import Evidence
from delivery.canary.verdict import Analysis, Judgement, PauseAction, Verdict
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, LockLost, NotPromoted, StopRequested
from delivery.release import Event, Release
from delivery.rollout.manifests import CanaryStep
from sandbox.aws.client import client
from sandbox.testing import PATIENCE
from tasks.canary.approval import require_approval, wait_for_approval
from tasks.canary.watch import Watch
from tasks.state.journal import read_journal
from tests.aws import ALARM
from tests.environments import production, production_policy
from tests.shop import Shop
from tests.tasks.canaries import install, reach_first_pause
from tests.tasks.canary.decisions import APPROVAL, deciding

RELEASE = Release(
    environment="production", number=7, nonce="1", artifact_digest=f"sha256:{'a' * 64}", plan_hash="p", lock_epoch=1
)
STEP = CanaryStep(1, 20)
CANARY = CanaryRun("stable", "canary", "image", (STEP,))
INCONCLUSIVE = Analysis(Verdict.INCONCLUSIVE, "too few requests", Counts(), Counts())
JUDGEMENT = Judgement(PauseAction.AWAIT_APPROVAL, INCONCLUSIVE, "no proof: too few requests; a person decides")


def with_timeout(folder: Path, seconds: float) -> Environment:
    """Production with an approval_timeout of this many seconds."""
    base = production(folder)
    update = {"approval_timeout": timedelta(seconds=seconds), "poll": timedelta(milliseconds=200)}
    return base.model_copy(update={"canary": base.canary.model_copy(update=update)})


def find_no_change() -> None:
    """A check of a canary that has not changed."""


@flow
def roll_out(environment: Environment, decision: dict[str, Any] | None, check: Callable[[], None]) -> str:
    with deciding(flow_run.id, decision):
        return wait_for_approval(environment, STEP, JUDGEMENT, check)


def state_of(run: Any) -> State[Any]:
    with get_client(sync_client=True) as api:
        state = api.read_flow_run(run).state
    assert state is not None
    return state


def test_a_canary_with_proof_needs_no_approval(tmp_path: Path) -> None:
    analysis = Analysis(Verdict.PASS, "98 % succeeded", Counts(), Counts())
    proven = Judgement(PauseAction.PROMOTE, analysis, "98 % succeeded")
    evidence = Evidence.begin(production_policy(), 20, datetime.now(UTC))
    approval = require_approval(ReleaseContext(production(tmp_path), RELEASE), CANARY, STEP, evidence, proven)
    assert approval == (evidence, "98 % succeeded")


def test_an_approval_promotes_the_canary_and_has_a_reason(prefect_server: str, tmp_path: Path) -> None:
    sentence = roll_out(with_timeout(tmp_path, PATIENCE), APPROVAL, find_no_change)
    assert sentence == f"{JUDGEMENT.line}; approved: few users at night"


def test_a_rejection_does_not_promote_the_canary(prefect_server: str, tmp_path: Path) -> None:
    rejection = {"promote": False, "reason": "wait for the morning"}
    message = r"inconclusive at 20 %\. No proof.* The approval was rejected: wait for the morning\."
    with pytest.raises(NotPromoted, match=message) as stopped:
        roll_out(with_timeout(tmp_path, PATIENCE), rejection, find_no_change)
    assert not stopped.value.is_failure


def test_without_a_decision_the_canary_is_not_promoted(prefect_server: str, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    with pytest.raises(NotPromoted, match=r"a person decides\. There was no decision within 2s\."):
        roll_out(with_timeout(tmp_path, 2), None, find_no_change)
    assert datetime.now(UTC) - began > timedelta(seconds=2)


@flow
def continue_without_a_decision(environment: Environment) -> str:
    """The state of the run after the request timed out."""
    with pytest.raises(NotPromoted, match="There was no decision within"):
        wait_for_approval(environment, STEP, JUDGEMENT, find_no_change)
    return state_of(flow_run.id).type.value


def test_after_a_request_without_a_decision_the_run_is_running_again(prefect_server: str, tmp_path: Path) -> None:
    assert continue_without_a_decision(with_timeout(tmp_path, 1)) == "RUNNING"


def test_the_run_logs_how_to_approve_and_until_when(
    prefect_server: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(NotPromoted):
        roll_out(with_timeout(tmp_path, 1), None, find_no_change)
    (line,) = [message for message in caplog.messages if "Waiting for approval" in message]
    assert line.startswith(f"20 %: {JUDGEMENT.line}. Waiting for approval until ")
    assert line.endswith(
        ", select Resume, set promote to true (approve) or false (reject), and enter a reason. "
        "Without a decision, the canary is rolled back."
    )


@pytest.mark.parametrize(
    "error",
    [
        NotPromoted("harm is proven", is_failure=True),
        StopRequested("ana@desk asked this release to stop"),
        LockLost("the lock was lost"),
    ],
)
def test_an_error_of_a_check_ends_the_request_for_approval(
    error: DeliveryError, prefect_server: str, tmp_path: Path
) -> None:
    states: list[State[Any]] = []

    def check() -> None:
        states.append(state_of(flow_run.id))
        if len(states) == 2:
            raise error

    ended = roll_out(with_timeout(tmp_path, PATIENCE), None, check, return_state=True)
    assert [state.name for state in states] == ["Paused", "Paused"]
    assert ended.is_failed()
    assert ended.result(raise_on_failure=False) is error


def test_the_form_describes_the_decision(prefect_server: str, tmp_path: Path) -> None:
    descriptions: list[Any] = []

    def check() -> None:
        keyset = state_of(flow_run.id).state_details.run_input_keyset
        assert keyset is not None
        descriptions.append(read_flow_run_input(keyset["description"]))

    with pytest.raises(NotPromoted):
        roll_out(with_timeout(tmp_path, 1), None, check)
    assert set(descriptions) == {
        f"{JUDGEMENT.line}. Promote the canary past 20 %? Without a decision within 1s, it is rolled back."
    }


@flow
def cancel_during_approval(environment: Environment, ended: StateType) -> str:
    """A release whose canary's run is cancelled during the approval. Returns the state of the release's run."""
    runs: list[Any] = []

    def check() -> None:
        runs.append(flow_run.id)
        with get_client(sync_client=True) as api:
            api.set_flow_run_state(flow_run.id, State(type=ended))

    with pytest.raises(NotPromoted, match=rf"No approval: the flow run is in state {ended.title()}\.$"):
        roll_out(environment, None, check)
    assert len(runs) == 1
    return state_of(flow_run.id).type.value


@pytest.mark.parametrize("ended", [StateType.CANCELLING, StateType.CANCELLED, StateType.CRASHED])
def test_cancelling_the_paused_run_rejects_the_approval_at_once(
    ended: StateType, prefect_server: str, tmp_path: Path
) -> None:
    assert cancel_during_approval(with_timeout(tmp_path, PATIENCE), ended) == "RUNNING"


@flow
def require_approval_of(
    context: ReleaseContext, canary: CanaryRun, evidence: Evidence, decision: dict[str, Any] | None
) -> tuple[Evidence, str]:
    with deciding(flow_run.id, decision):
        return require_approval(context, canary, canary.steps[0], evidence, JUDGEMENT)


def test_an_approval_is_followed_by_one_more_check(shop: Shop, prefect_server: str) -> None:
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        before = Watch.begin(live, context, canary, canary.steps[0], None).evidence
        after, approval = require_approval_of(context, canary, before, APPROVAL)
    approved = f"{JUDGEMENT.line}; approved: few users at night"
    assert approval.startswith(f"{approved}; checked once more after the approval: no requests")
    assert after.read_until >= before.read_until


def test_proof_against_the_canary_ends_the_request_for_approval(shop: Shop, prefect_server: str) -> None:
    canary_settings = shop.environment.canary.model_copy(update={"approval_timeout": timedelta(seconds=PATIENCE)})
    shop = replace(shop, environment=shop.environment.model_copy(update={"canary": canary_settings}))
    cloudwatch = client("cloudwatch", shop.sandbox.addresses, shop.sandbox.settings)
    name = f"{shop.environment.prefix}-{shop.namespace}"
    install(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        live, canary = reach_first_pause(shop, context)
        evidence = Watch.begin(live, context, canary, canary.steps[0], None).evidence
        cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 failed")
        ended = require_approval_of(context, canary, evidence, None, return_state=True)
        cloudwatch.delete_alarms(AlarmNames=[name])
    assert ended.is_failed()
    stopped = ended.result(raise_on_failure=False)
    assert isinstance(stopped, NotPromoted)
    assert str(stopped) == (
        "The canary failed at 30 %. An alarm entered ALARM during the canary: "
        f"{name} (12 failed). The approval was still pending."
    )
    assert stopped.is_failure
    journal = read_journal(shop.environment, context.release.number)
    assert [record.detail["verdict"] for record in journal if record.event is Event.JUDGED] == ["fail"]
