"""What differs between the stacks that stand and the assembly, by what was read."""

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


def look(*, template: str = TEMPLATE, stored: dict[str, str] | None = None, **changed: Any) -> tuple[Verdict, str]:
    found = DeployedStack(state=STATE.model_copy(update=changed), template=template)
    check = judge_stacks([STACK], {STACK.id: found}, {STORED: "vpc-1"} if stored is None else stored)
    return check.verdict, check.seen


def test_a_stack_as_the_assembly_has_it_passes() -> None:
    assert look() == (Verdict.PASS, "1 stacks as the assembly has them")


def test_white_space_is_no_difference() -> None:
    assert look(template=json.dumps(json.loads(TEMPLATE), indent=3))[0] is Verdict.PASS


def test_another_template_is_a_difference() -> None:
    assert look(template='{"Resources": {}}') == (Verdict.FAIL, "SecurityStack: another template")


def test_a_value_that_moved_in_the_parameter_store_is_a_difference() -> None:
    assert look(stored={STORED: "vpc-2"}) == (
        Verdict.FAIL,
        f"SecurityStack: {STORED} has changed in the parameter store since it was deployed",
    )


def test_a_parameter_given_by_hand_is_a_difference() -> None:
    by_hand = STATE.parameters | {"Size": ParameterValue(given="9")}
    assert look(parameters=by_hand) == (Verdict.FAIL, "SecurityStack: parameter Size is not the template's")


def test_status_tags_and_protection_are_compared() -> None:
    assert look(status="UPDATE_ROLLBACK_COMPLETE", tags={}, is_protected=False) == (
        Verdict.FAIL,
        "SecurityStack: in UPDATE_ROLLBACK_COMPLETE; SecurityStack: other tags; "
        "SecurityStack: not protected from deletion",
    )


def test_a_stack_that_is_not_there_is_a_difference() -> None:
    check = judge_stacks([STACK], {STACK.id: None}, {})
    assert (check.verdict, check.seen) == (Verdict.FAIL, "SecurityStack: there is none")


def test_only_names_of_the_parameter_store_are_looked_up() -> None:
    assert stored_names([STACK]) == {STORED}
