"""The plan in the Prefect UI, and its confirmation under the lock."""

import json
import logging
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.schemas import State

from clients.prefect.api import PrefectApi
from delivery.environment import OnPlanChange, Planning
from delivery.errors import Refused
from delivery.plan import Phase, ReleasePlan, Reversibility, Step, StepAction
from tasks.planning import compare_plans, plan_data_key, show_plan
from tests.environments import production

TOPIC = Step(
    phase=Phase.TOPICS,
    name="views",
    action=StepAction.CHANGE,
    reversibility=Reversibility.IRREVERSIBLE,
    changes=("partitions: 3 -> 6",),
)
UNCHANGED = TOPIC.model_copy(update={"name": "clicks", "action": StepAction.NOTHING, "changes": ()})
PLAN = ReleasePlan(environment="production", artifact_digest=f"sha256:{'a' * 64}", steps=(TOPIC, UNCHANGED))


@flow
def plan_something() -> str:
    return show_plan(PLAN)


@pytest.fixture(scope="module")
def shown(prefect_server: str) -> tuple[PrefectApi, State]:
    return PrefectApi(prefect_server), plan_something(return_state=True)


def test_the_text_of_a_plan_is_an_artifact_of_the_run(shown: tuple[PrefectApi, State]) -> None:
    api, state = shown
    assert state.state_details.flow_run_id
    text = api.read_artifact(state.state_details.flow_run_id, "plan-production")
    assert text
    assert "change  views (irreversible)\n            partitions: 3 -> 6\n  unchanged  clicks" in text


def test_the_data_of_a_plan_is_an_artifact_of_the_run(shown: tuple[PrefectApi, State]) -> None:
    api, state = shown
    assert state.state_details.flow_run_id
    data = json.loads(api.read_artifact(state.state_details.flow_run_id, plan_data_key("production")) or "")
    assert data["hash"] == PLAN.hash
    assert ReleasePlan.model_validate({key: value for key, value in data.items() if key != "hash"}) == PLAN


def test_a_run_without_a_plan_has_no_such_artifact(shown: tuple[PrefectApi, State]) -> None:
    api, state = shown
    assert state.state_details.flow_run_id
    assert api.read_artifact(state.state_details.flow_run_id, plan_data_key("staging")) is None


CHANGED = PLAN.model_copy(update={"steps": (TOPIC,)})


def test_a_plan_that_differs_from_the_shown_one_stops_the_release_and_is_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        compare_plans(production(tmp_path), PLAN, CHANGED)
    message = str(refused.value)
    changed = (
        f"production changed after plan {PLAN.hash} was shown. With the lock acquired, the plan is {CHANGED.hash}."
    )
    assert message.startswith(changed)
    assert "partitions: 3 -> 6" in message
    assert message.endswith("Start the release again. Nothing was changed.")


def test_a_plan_that_differs_is_shown_and_used_if_on_change_is_continue(
    tmp_path: Path, shown: tuple[PrefectApi, State]
) -> None:
    environment = production(tmp_path).model_copy(update={"plan": Planning(on_change=OnPlanChange.CONTINUE)})

    @flow
    def compare() -> None:
        compare_plans(environment, PLAN, CHANGED)

    run = compare(return_state=True).state_details.flow_run_id
    assert run
    assert CHANGED.hash in (shown[0].read_artifact(run, "plan-production") or "")


def test_a_note_that_is_new_under_the_lock_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "slipway")
    shown = PLAN.model_copy(update={"findings": ("Known.",)})
    compare_plans(production(tmp_path), shown, PLAN.model_copy(update={"findings": ("Known.", "New.")}))
    assert [line for line in caplog.messages if line.startswith("Note: ")] == ["Note: New."]


def test_an_equal_plan_is_not_shown_again(tmp_path: Path) -> None:
    compare_plans(production(tmp_path), PLAN, PLAN.model_copy(update={"findings": ("Release 3 has no recorded end.",)}))
