"""Stacks are previewed and deployed with the change sets of the sandbox's CloudFormation."""

from collections.abc import Iterator

import pytest

from delivery.context import ReleaseContext
from delivery.errors import Rejected, StackFailed
from delivery.plan import PartPlan, StepAction
from delivery.release import Event, Record
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome
from delivery.stacks.state import ObservedStack
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.tasks.releases import next_release

DIGEST = "sha256:" + "c" * 64


@pytest.fixture
def context(project: Project) -> Iterator[ReleaseContext]:
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as context:
        yield context


def deploy(project: Project, context: ReleaseContext, stack_id: str = "App") -> StackOutcome:
    return deploy_stack.fn(context, project.stack(stack_id))


def observe(project: Project) -> ObservedStack:
    return observe_stack.fn(project.environment, project.stack("App"))


def plan(project: Project) -> PartPlan:
    return plan_stacks([project.stack("App")], {"App": observe(project)})


def recorded(project: Project, context: ReleaseContext) -> list[Record]:
    """The records of the stack in the journal."""
    records = read_journal(project.environment, context.release.number)
    return [record for record in records if record.step == "Infrastructure/App"]


def change_sets(project: Project, aws: SandboxAws) -> list[str]:
    found = aws.client("cloudformation").list_change_sets(StackName=project.stack("App").name)["Summaries"]
    return [item["ChangeSetName"] for item in found if item["ExecutionStatus"] in ("AVAILABLE", "UNAVAILABLE")]


def test_a_missing_stack_is_created_with_termination_protection_and_its_outputs_are_read_back(
    project: Project, context: ReleaseContext
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    outcome = deploy(project, context)
    assert (outcome.action, outcome.status) == (StepAction.CREATE, "CREATE_COMPLETE")
    assert outcome.outputs == {"Stack": project.stack("App").name}
    state = observe(project).state
    assert state is not None
    assert state.is_protected


def test_a_creation_is_in_the_journal_with_the_state_before_it(project: Project, context: ReleaseContext) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    outcome = deploy(project, context)
    intended, done = recorded(project, context)
    assert (intended.event, intended.detail) == (Event.INTENDED, {"exists": False})
    assert (done.event, done.detail) == (Event.DONE, outcome.model_dump(mode="json"))


def test_an_unchanged_stack_has_nothing_to_do_and_no_record_in_the_journal(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    deploy(project, context)
    again = next_release(context)
    assert deploy(project, again).action is StepAction.NOTHING
    assert recorded(project, again) == []
    assert change_sets(project, aws) == []


def test_a_stack_that_only_gets_its_termination_protection_again_is_changed(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    stack = deploy(project, context).arn
    cloudformation = aws.client("cloudformation")
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    outcome = deploy(project, next_release(context))
    assert (outcome.action, outcome.status) == (StepAction.CHANGE, "CREATE_COMPLETE")
    assert cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["EnableTerminationProtection"] is True


def test_a_change_is_planned_by_property_and_the_change_set_is_deleted(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, context)
    project.write({"App": {"One": project.parameter("one", "after"), "Two": project.parameter("two", "2")}})
    (step,) = plan(project).steps
    assert step.action is StepAction.CHANGE
    assert sorted(step.changes) == ["+ Two (AWS::SSM::Parameter)", "~ One (AWS::SSM::Parameter) Value: before -> after"]
    assert change_sets(project, aws) == []


def test_a_plan_deletes_a_change_set_that_it_cannot_read(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, context)
    project.write({"App": {"One": project.parameter("one", "after")}})
    aws.fault(kind="deny", match="cloudformation:DescribeChangeSet")
    with pytest.raises(Exception, match="Could not read change set"):
        observe(project)
    aws.clear_faults()
    assert change_sets(project, aws) == []


def test_the_journal_of_an_update_contains_the_template_before_it(project: Project, context: ReleaseContext) -> None:
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, context)
    project.write({"App": {"One": project.parameter("one", "after")}})
    later = next_release(context)
    assert deploy(project, later).status == "UPDATE_COMPLETE"
    before = recorded(project, later)[0].detail
    assert before["exists"] is True
    assert '"before"' in before["template"]


def test_the_removal_of_a_bucket_is_refused(project: Project, context: ReleaseContext) -> None:
    project.write({"App": {"One": project.parameter("one", "1"), "Data": project.bucket("data")}})
    deploy(project, context)
    project.write({"App": {"One": project.parameter("one", "1")}})
    (refusal,) = plan(project).refusals
    assert refusal.startswith("App: Data (AWS::S3::Bucket) would be deleted")


def test_a_loss_of_data_that_is_not_in_the_plan_is_refused_before_the_execution(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    ssm, path = aws.client("ssm"), f"/{project.name}/bucket"
    ssm.put_parameter(Name=path, Type="String", Value=f"{project.name}-before")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}}
    name = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": path}
    project.write({"App": {"Data": bucket}}, parameters={"App": {"Name": name}})
    deploy(project, context)
    assert plan(project).refusals == ()
    ssm.put_parameter(Name=path, Type="String", Value=f"{project.name}-after", Overwrite=True)
    with pytest.raises(
        StackFailed,
        match=r"^App: Data \(AWS::S3::Bucket\) would be replaced .* The change set was not executed, and the",
    ):
        deploy(project, next_release(context))
    buckets = [found["Name"] for found in aws.client("s3").list_buckets()["Buckets"]]
    assert [found for found in buckets if found.startswith(project.name)] == [f"{project.name}-before"]
    assert change_sets(project, aws) == []


def test_the_error_of_a_failed_stack_names_the_first_resource_that_failed(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, reason="no capacity")
    with pytest.raises(
        StackFailed, match=r"ended in ROLLBACK_COMPLETE\. One \(AWS::SSM::Parameter\) CREATE_FAILED: no"
    ):
        deploy(project, context)
    assert recorded(project, context)[-1].event is Event.FAILED


def test_a_second_attempt_of_a_release_reports_the_same_failure(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, reason="no capacity")
    for _ in range(2):
        with pytest.raises(StackFailed, match="no capacity"):
            deploy(project, context)
    name = project.stack("App").name
    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    begun = [e for e in events if e["LogicalResourceId"] == name and e["ResourceStatus"] == "CREATE_IN_PROGRESS"]
    assert len(begun) == 1


def test_the_stack_of_a_failed_creation_is_deleted_and_created_again(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, times=1)
    with pytest.raises(StackFailed):
        deploy(project, context)
    later = next_release(context)
    assert deploy(project, later).status == "CREATE_COMPLETE"


def test_throttled_polls_do_not_fail_the_deployment(project: Project, context: ReleaseContext, aws: SandboxAws) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="throttle", match="cloudformation:DescribeStackEvents", times=6)
    assert deploy(project, context).status == "CREATE_COMPLETE"
    assert len(aws.hits()) >= 6


def test_a_change_set_is_not_executed_twice_if_the_response_was_lost(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="drop", match="cloudformation:ExecuteChangeSet", times=1)
    outcome = deploy(project, context)
    events = aws.client("cloudformation").describe_stack_events(StackName=outcome.arn)["StackEvents"]
    begun = [e for e in events if e["LogicalResourceId"] == "One" and e["ResourceStatus"] == "CREATE_COMPLETE"]
    assert len(begun) == 1


def test_an_operation_of_an_earlier_attempt_is_followed_and_not_started_again(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    stack, cloudformation = project.stack("App"), aws.client("cloudformation")
    token = context.release.token("Infrastructure/App")
    change_set = cloudformation.create_change_set(
        StackName=stack.name, ChangeSetName=token, ChangeSetType="CREATE", TemplateBody=stack.template
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig={"Delay": 1})
    cloudformation.execute_change_set(ChangeSetName=change_set, ClientRequestToken=token)
    assert deploy(project, context).status == "CREATE_COMPLETE"
    assert recorded(project, context)[0].detail["was_started"] is True


def test_a_change_set_of_an_earlier_attempt_is_used(project: Project, context: ReleaseContext, aws: SandboxAws) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    stack = project.stack("App")
    aws.client("cloudformation").create_change_set(
        StackName=stack.name,
        ChangeSetName=context.release.token("Infrastructure/App"),
        ChangeSetType="CREATE",
        TemplateBody=stack.template,
    )
    assert deploy(project, context).status == "CREATE_COMPLETE"


def test_the_error_of_a_refused_template_has_the_reason_of_cloudformation(
    project: Project, context: ReleaseContext
) -> None:
    project.write({"App": {"One": {"Type": "AWS::No::Such"}}})
    with pytest.raises((Rejected, StackFailed), match="AWS::No::Such"):
        deploy(project, context)
