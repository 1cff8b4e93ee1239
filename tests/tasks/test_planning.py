import json

import pytest
from prefect import flow
from prefect.client.schemas import State

from clients.prefect_api import PrefectApi
from delivery.plan import Action, Phase, ReleasePlan, Step, WayBack
from tasks.planning import plan_data_key, show_plan

TOPIC = Step(
    phase=Phase.TOPICS, name="views", action=Action.CHANGE, way_back=WayBack.NONE, changes=("partitions: 3 -> 6",)
)
KEPT = TOPIC.model_copy(update={"name": "clicks", "action": Action.NOTHING, "changes": ()})
PLAN = ReleasePlan(environment="production", artifact_digest=f"sha256:{'a' * 64}", steps=(TOPIC, KEPT))


@flow
def plan_something() -> str:
    return show_plan(PLAN)


@pytest.fixture(scope="module")
def shown(prefect_server: str) -> tuple[PrefectApi, State]:
    return PrefectApi(prefect_server), plan_something(return_state=True)


def test_a_plan_is_left_in_words_for_whoever_reads_it(shown: tuple[PrefectApi, State]) -> None:
    api, state = shown
    assert state.state_details.flow_run_id
    text = api.read_artifact(state.state_details.flow_run_id, "plan-production")
    assert text
    assert "change  views (no way back)\n            partitions: 3 -> 6\n  as it is  clicks" in text


def test_every_value_of_a_plan_is_left_for_programs(shown: tuple[PrefectApi, State]) -> None:
    api, state = shown
    assert state.state_details.flow_run_id
    data = json.loads(api.read_artifact(state.state_details.flow_run_id, plan_data_key("production")) or "")
    assert data["hash"] == PLAN.hash
    assert ReleasePlan.model_validate({key: value for key, value in data.items() if key != "hash"}) == PLAN


def test_a_run_that_made_no_plan_has_none(shown: tuple[PrefectApi, State]) -> None:
    api, state = shown
    assert state.state_details.flow_run_id
    assert api.read_artifact(state.state_details.flow_run_id, plan_data_key("staging")) is None
