import json
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
    way_back=Reversibility.NONE,
    changes=("partitions: 3 -> 6",),
)
KEPT = TOPIC.model_copy(update={"name": "clicks", "action": StepAction.NOTHING, "changes": ()})
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


MOVED = PLAN.model_copy(update={"steps": (TOPIC,)})


def test_a_plan_that_moved_since_it_was_shown_stops_the_release_and_is_shown_as_it_is_now(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        compare_plans(production(tmp_path), PLAN, MOVED)
    sentence = str(refused.value)
    assert sentence.startswith(f"The plan shown was {PLAN.hash}; with the hold taken it is {MOVED.hash}, because")
    assert "partitions: 3 -> 6" in sentence
    assert sentence.endswith("Start the release again. Nothing was touched.")


def test_a_plan_that_moved_is_shown_and_carried_out_where_the_environment_says_so(
    tmp_path: Path, shown: tuple[PrefectApi, State]
) -> None:
    environment = production(tmp_path).model_copy(update={"plan": Planning(on_change=OnPlanChange.CONTINUE)})

    @flow
    def compare() -> None:
        compare_plans(environment, PLAN, MOVED)

    run = compare(return_state=True).state_details.flow_run_id
    assert run
    assert MOVED.hash in (shown[0].read_artifact(run, "plan-production") or "")


def test_a_plan_that_is_the_same_is_not_told_again(tmp_path: Path) -> None:
    compare_plans(production(tmp_path), PLAN, PLAN.model_copy(update={"findings": ("Release 3 did not end.",)}))
