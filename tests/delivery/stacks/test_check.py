"""The differences between the deployed stacks and the cloud assembly."""

import json
from typing import Any

from delivery.canary.verdict import Verdict
from delivery.stacks.assembly import StackSpec
from delivery.stacks.check import DeployedStack, judge_stacks, stored_names
from delivery.stacks.state import ParameterValue, StackState

STORED = "/genai-demo/production/VpcId"
TEMPLATE = json.dumps(
    {
        "Parameters": {
            "Vpc": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": STORED},
            "Size": {"Type": "Number", "Default": 3},
        },
        "Resources": {"One": {"Type": "AWS::EC2::SecurityGroup"}},
    }
)
STACK = StackSpec(
    id="SecurityStack",
    name="genai-demo-production-security",
    template=TEMPLATE,
    tags={"Project": "x"},
    is_protected=True,
)
STATE = StackState(
    arn="arn:stack",
    name=STACK.name,
    status="UPDATE_COMPLETE",
    tags={"Project": "x"},
    is_protected=True,
    parameters={"Vpc": ParameterValue(given=STORED, resolved="vpc-1"), "Size": ParameterValue(given="3")},
)


def check(*, template: str = TEMPLATE, stored: dict[str, str] | None = None, **changed: Any) -> tuple[Verdict, str]:
    found = DeployedStack(state=STATE.model_copy(update=changed), template=template)
    result = judge_stacks([STACK], {STACK.id: found}, {STORED: "vpc-1"} if stored is None else stored)
    return result.verdict, result.seen


def test_a_stack_that_matches_the_assembly_passes() -> None:
    assert check() == (Verdict.PASS, "1 of 1 stacks match the cloud assembly")


def test_white_space_is_no_difference() -> None:
    assert check(template=json.dumps(json.loads(TEMPLATE), indent=3))[0] is Verdict.PASS


def test_a_different_template_is_a_difference() -> None:
    assert check(template='{"Resources": {}}') == (Verdict.FAIL, "SecurityStack: different template")


def test_a_value_that_changed_in_parameter_store_is_a_difference() -> None:
    assert check(stored={STORED: "vpc-2"}) == (
        Verdict.FAIL,
        f"SecurityStack: {STORED} changed in Parameter Store after the stack was deployed",
    )


def test_a_parameter_that_was_set_manually_is_a_difference() -> None:
    parameters = STATE.parameters | {"Size": ParameterValue(given="9")}
    assert check(parameters=parameters) == (Verdict.FAIL, "SecurityStack: parameter Size differs from the template")


def test_status_tags_and_protection_are_compared() -> None:
    assert check(status="UPDATE_ROLLBACK_COMPLETE", tags={}, is_protected=False) == (
        Verdict.FAIL,
        "SecurityStack: status UPDATE_ROLLBACK_COMPLETE; SecurityStack: different tags; "
        "SecurityStack: no termination protection",
    )


def test_a_missing_stack_is_a_difference() -> None:
    result = judge_stacks([STACK], {STACK.id: None}, {})
    assert (result.verdict, result.seen) == (Verdict.FAIL, "SecurityStack: the stack does not exist")


def test_only_names_in_parameter_store_are_read() -> None:
    assert stored_names([STACK]) == {STORED}
