import pytest

from delivery.errors import Refused
from delivery.plan import (
    PartPlan,
    Phase,
    Step,
    StepAction,
    describe_nothing_to_do,
    join_plan,
    sum_up,
)

DIGEST = "sha256:" + "a" * 64


def step(name: str, action: StepAction = StepAction.CHANGE) -> Step:
    return Step(phase=Phase.TOPICS, name=name, action=action)


def test_every_refusal_is_told_at_once() -> None:
    parts = [PartPlan(refusals=("One.",)), PartPlan(steps=(step("a"),)), PartPlan(refusals=("Two.",))]
    with pytest.raises(Refused, match=r"^One\. Two\. Nothing was touched\.$"):
        join_plan("production", DIGEST, parts, [])


def test_the_hash_is_of_what_will_be_done_not_of_what_was_found() -> None:
    parts = [PartPlan(steps=(step("a"),))]
    plain, with_findings = (join_plan("production", DIGEST, parts, found) for found in ([], ["release 3 did not end"]))
    assert plain.hash == with_findings.hash


def test_another_step_is_another_hash() -> None:
    plans = [join_plan("production", DIGEST, [PartPlan(steps=(step(name),))], []) for name in ("a", "b")]
    assert plans[0].hash != plans[1].hash


def test_a_plan_with_one_change_is_something_to_do() -> None:
    steps = (step("a", StepAction.NOTHING), step("b"))
    assert not join_plan("production", DIGEST, [PartPlan(steps=steps)], []).is_nothing_to_do
    assert join_plan("production", DIGEST, [PartPlan(steps=steps[:1])], []).is_nothing_to_do


def test_a_plan_is_summed_up_by_how_much_there_is_to_do() -> None:
    steps = (step("a", StepAction.NOTHING), step("b"))
    assert sum_up(join_plan("production", DIGEST, [PartPlan(steps=steps)], [])).endswith(": 1 to change, 1 as planned.")
    assert sum_up(join_plan("production", DIGEST, [PartPlan(steps=steps[:1])], [])).endswith(": 1 as planned.")


def test_that_nothing_is_to_do_names_the_artifact_and_how_much_is_as_planned() -> None:
    plan = join_plan("production", DIGEST, [PartPlan(steps=(step("a", StepAction.NOTHING),))], [])
    assert describe_nothing_to_do(plan) == (
        f"production is as {DIGEST} needs it, nothing was touched. "
        "As planned: infrastructure 0, cluster add-ons 0, topics 1, connection settings 0, application 0."
    )
