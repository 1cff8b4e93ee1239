import pytest

from delivery.errors import Refused
from delivery.plan import (
    PartPlan,
    Phase,
    Step,
    StepAction,
    describe_nothing_to_do,
    join_plan,
    summarize,
)

DIGEST = "sha256:" + "a" * 64


def step(name: str, action: StepAction = StepAction.CHANGE) -> Step:
    return Step(phase=Phase.TOPICS, name=name, action=action)


def test_the_error_of_a_refused_plan_has_all_refusals() -> None:
    parts = [PartPlan(refusals=("One.",)), PartPlan(steps=(step("a"),)), PartPlan(refusals=("Two.",))]
    with pytest.raises(Refused, match=r"^One\. Two\. Nothing was changed\.$"):
        join_plan("production", DIGEST, parts, [])


def test_the_hash_does_not_depend_on_the_findings() -> None:
    parts = [PartPlan(steps=(step("a"),))]
    plain, with_findings = (join_plan("production", DIGEST, parts, found) for found in ([], ["release 3 has no end"]))
    assert plain.hash == with_findings.hash


def test_a_different_step_gives_a_different_hash() -> None:
    plans = [join_plan("production", DIGEST, [PartPlan(steps=(step(name),))], []) for name in ("a", "b")]
    assert plans[0].hash != plans[1].hash


def test_a_plan_with_one_change_has_something_to_do() -> None:
    steps = (step("a", StepAction.NOTHING), step("b"))
    assert not join_plan("production", DIGEST, [PartPlan(steps=steps)], []).is_nothing_to_do
    assert join_plan("production", DIGEST, [PartPlan(steps=steps[:1])], []).is_nothing_to_do


def test_the_summary_of_a_plan_counts_its_steps() -> None:
    steps = (step("a", StepAction.NOTHING), step("b"))
    plan, idle_plan = (join_plan("production", DIGEST, [PartPlan(steps=some)], []) for some in (steps, steps[:1]))
    assert summarize(plan).endswith(": 1 to change, 1 unchanged.")
    assert summarize(idle_plan).endswith(": 1 unchanged.")


def test_the_message_of_nothing_to_do_has_the_artifact_digest_and_the_number_of_steps() -> None:
    plan = join_plan("production", DIGEST, [PartPlan(steps=(step("a", StepAction.NOTHING),))], [])
    assert describe_nothing_to_do(plan) == (
        f"production already matches {DIGEST}. Nothing was changed. "
        "Unchanged: infrastructure 0, cluster add-ons 0, topics 1, connection settings 0, application 0."
    )
