"""The plan of the stacks, and the reasons to refuse a release."""

import json

from delivery.plan import PartPlan, Phase, Step, StepAction
from delivery.stacks.planning import plan_stacks, shown
from delivery.stacks.state import ObservedStack, PropertyChange, ResourceChange
from tests.delivery.stacks.specs import NAME, modified, plan_changes, plan_one, removed, spec, state


def test_a_stack_without_changes_has_nothing_to_do() -> None:
    plan = plan_one(spec(), ObservedStack(id="RDS", state=state()))
    assert plan == PartPlan(steps=(Step(phase=Phase.STACKS, name="RDS", action=StepAction.NOTHING),))


def test_a_changed_property_has_a_line_with_both_values() -> None:
    (step,) = plan_changes(modified()).steps
    assert step.action is StepAction.CHANGE
    assert step.changes == ("~ Database (AWS::RDS::DBInstance) BackupRetentionPeriod: 14 -> 30",)


def test_each_changed_property_of_a_resource_has_its_own_line() -> None:
    properties = (PropertyChange(path="A", before="1", after="2"), PropertyChange(path="B.C", after="x"))
    change = ResourceChange(logical_id="Role", type="AWS::IAM::Role", action="Modify", properties=properties)
    (step,) = plan_changes(change).steps
    assert step.changes == ("~ Role (AWS::IAM::Role) A: 1 -> 2", "~ Role (AWS::IAM::Role) B.C: (none) -> x")


def test_added_and_removed_resources_have_one_line_each() -> None:
    added = ResourceChange(logical_id="Alarm", type="AWS::CloudWatch::Alarm", action="Add")
    (step,) = plan_changes(added, removed("AWS::SNS::Topic")).steps
    assert step.changes == ("+ Alarm (AWS::CloudWatch::Alarm)", "- Old (AWS::SNS::Topic)")


def test_a_change_of_only_tags_or_outputs_is_a_change() -> None:
    (step,) = plan_one(spec(), ObservedStack(id="RDS", state=state(), is_changed=True)).steps
    assert (step.action, step.changes) == (StepAction.CHANGE, ("~ tags or outputs only",))


def test_a_stack_without_its_termination_protection_gets_it() -> None:
    (step,) = plan_one(spec(is_protected=True), ObservedStack(id="RDS", state=state())).steps
    assert (step.action, step.changes) == (StepAction.CHANGE, ("+ termination protection",))


def test_a_missing_stack_is_created_with_its_number_of_resources() -> None:
    (step,) = plan_one(spec(types=("AWS::EC2::VPC", "AWS::EC2::Subnet")), ObservedStack(id="RDS")).steps
    assert step == Step(phase=Phase.STACKS, name="RDS", action=StepAction.CREATE, changes=("2 resources",))


def test_a_missing_stack_is_created_after_the_missing_stacks_that_it_depends_on() -> None:
    assembly = [spec("Network"), spec("Security", "Network"), spec("RDS", "Network", "Security")]
    observed = {"Network": ObservedStack(id="Network", state=state())}
    observed |= {name: ObservedStack(id=name) for name in ("Security", "RDS")}
    plan = plan_stacks(assembly, observed)
    assert [step.changes for step in plan.steps] == [
        (),
        ("1 resource",),
        ("1 resource", "after Security"),
    ]


def test_a_stack_under_review_is_created() -> None:
    (step,) = plan_one(spec(), ObservedStack(id="RDS", state=state("REVIEW_IN_PROGRESS"))).steps
    assert step.action is StepAction.CREATE


def test_the_plan_says_that_the_stack_of_a_failed_creation_is_deleted_first() -> None:
    plan = plan_one(spec(), ObservedStack(id="RDS", state=state("ROLLBACK_COMPLETE")))
    assert plan.refusals == ()
    assert plan.steps[0].changes[0] == "first deletes the stack of a failed creation (ROLLBACK_COMPLETE)"


def test_a_stack_that_cannot_be_updated_is_refused_with_its_status_and_a_command() -> None:
    plan = plan_one(spec(), ObservedStack(id="RDS", state=state("UPDATE_ROLLBACK_FAILED")))
    assert plan.refusals == (
        f"RDS: stack {NAME} is in UPDATE_ROLLBACK_FAILED and cannot be updated. Fix the cause, then continue the "
        f"rollback: aws cloudformation continue-update-rollback --stack-name {NAME}.",
    )


def test_a_stack_that_another_client_is_updating_is_refused() -> None:
    found = ObservedStack(id="RDS", state=state("UPDATE_IN_PROGRESS"), operation="Console-1")
    plan = plan_one(spec(), found)
    assert plan.refusals == (
        f"RDS: stack {NAME} is in UPDATE_IN_PROGRESS, started by another client (client request token Console-1; the "
        "event history of CloudTrail shows who), and cannot be updated. Wait until the operation has ended, then try "
        "again.",
    )


def test_a_stack_that_a_release_is_updating_is_refused_with_the_number_of_the_release() -> None:
    token = "release-4-0123456789ab-Infrastructure-RDS"
    found = ObservedStack(id="RDS", state=state("UPDATE_IN_PROGRESS"), operation=token)
    assert (
        plan_one(spec(), found)
        .refusals[0]
        .startswith(f"RDS: stack {NAME} is in UPDATE_IN_PROGRESS, started by release 4, and cannot be updated.")
    )


def test_a_template_that_is_too_large_for_a_request_is_refused_without_a_bucket() -> None:
    large = json.dumps({"Resources": {}, "Description": "x" * 60_000})
    plan = plan_one(spec(template=large), ObservedStack(id="RDS"))
    assert plan.refusals == (
        f"RDS: the template has {len(large):,} bytes, and CloudFormation accepts at most 51,200 in a request. "
        "To send it from the bucket of the state, set [state] url to s3://bucket/prefix.",
    )
    observed = {"RDS": ObservedStack(id="RDS")}
    assert plan_stacks([spec(template=large)], observed, has_bucket=True).refusals == ()


def test_a_template_that_is_too_large_for_a_bucket_is_refused() -> None:
    large = json.dumps({"Resources": {}, "Description": "x" * 1_048_576})
    (refusal,) = plan_stacks([spec(template=large)], {"RDS": ObservedStack(id="RDS")}, has_bucket=True).refusals
    assert refusal.endswith("CloudFormation accepts at most 1,048,576 from a bucket. Split the stack.")


def test_a_change_set_that_cloudformation_refuses_is_a_refusal() -> None:
    plan = plan_one(spec(), ObservedStack(id="RDS", state=state(), refused="Unresolved reference."))
    assert plan.refusals == ("RDS: CloudFormation refused its change set. Unresolved reference.",)


def test_the_changes_are_not_known_if_a_stack_that_it_depends_on_changes_first() -> None:
    assembly = [spec("Security"), spec("RDS", "Security")]
    observed = {
        "Security": ObservedStack(id="Security", state=state(), is_changed=True),
        "RDS": ObservedStack(id="RDS", state=state(), refused="Unable to fetch parameters"),
    }
    plan = plan_stacks(assembly, observed)
    assert plan.refusals == ()
    assert plan.steps[1].changes == ("~ changes are not known yet: they depend on Security, deployed first",)


def test_long_values_are_cut_and_still_different() -> None:
    first, second = shown("x" * 500 + "a"), shown("x" * 500 + "b")
    assert first != second
    assert len(first) < 130
