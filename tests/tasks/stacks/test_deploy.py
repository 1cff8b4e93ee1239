"""Stacks observed and deployed through real change sets."""

from collections.abc import Iterator

import pytest

from delivery.errors import Rejected, StackFailed
from delivery.plan import PartPlan, StepAction
from delivery.release import Event, Record, Release
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome
from delivery.stacks.state import ObservedStack
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "c" * 64


@pytest.fixture
def release(project: Project) -> Iterator[Release]:
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


def deploy(project: Project, release: Release, stack_id: str = "App") -> StackOutcome:
    return deploy_stack.fn(project.environment, release, project.stack(stack_id))


def observe(project: Project) -> ObservedStack:
    return observe_stack.fn(project.environment, project.stack("App"))


def plan(project: Project) -> PartPlan:
    return plan_stacks([project.stack("App")], {"App": observe(project)})


def told(project: Project, release: Release) -> list[Record]:
    records = read_journal(project.environment, release.number)
    return [record for record in records if record.step == "Infrastructure/App"]


def change_sets(project: Project, aws: SandboxAws) -> list[str]:
    found = aws.client("cloudformation").list_change_sets(StackName=project.stack("App").name)["Summaries"]
    return [item["ChangeSetName"] for item in found if item["ExecutionStatus"] in ("AVAILABLE", "UNAVAILABLE")]


def test_a_missing_stack_is_created_protected_and_its_outputs_are_read_back(project: Project, release: Release) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    outcome = deploy(project, release)
    assert (outcome.action, outcome.status) == (StepAction.CREATE, "CREATE_COMPLETE")
    assert outcome.outputs == {"Stack": project.stack("App").name}
    state = observe(project).state
    assert state is not None
    assert state.is_protected


def test_a_creation_is_in_the_journal_with_what_was_there_before(project: Project, release: Release) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    outcome = deploy(project, release)
    intended, done = told(project, release)
    assert (intended.event, intended.detail) == (Event.INTENDED, {"exists": False})
    assert (done.event, done.detail) == (Event.DONE, outcome.model_dump(mode="json"))


def test_an_unchanged_stack_is_nothing_to_do_and_nothing_in_the_journal(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    deploy(project, release)
    again = release.model_copy(update={"number": release.number + 1})
    assert deploy(project, again).action is StepAction.NOTHING
    assert told(project, again) == []
    assert change_sets(project, aws) == []


def test_a_stack_that_was_only_protected_again_is_told_as_changed(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    stack = deploy(project, release).arn
    formation = aws.client("cloudformation")
    formation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    outcome = deploy(project, release.model_copy(update={"number": release.number + 1}))
    assert (outcome.action, outcome.status) == (StepAction.CHANGE, "CREATE_COMPLETE")
    assert formation.describe_stacks(StackName=stack)["Stacks"][0]["EnableTerminationProtection"] is True


def test_a_change_is_planned_property_by_property_and_leaves_no_change_set(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, release)
    project.write({"App": {"One": project.parameter("one", "after"), "Two": project.parameter("two", "2")}})
    (step,) = plan(project).steps
    assert step.action is StepAction.CHANGE
    assert sorted(step.changes) == ["+ Two (AWS::SSM::Parameter)", "~ One (AWS::SSM::Parameter) Value: before -> after"]
    assert change_sets(project, aws) == []


def test_a_plan_whose_change_set_cannot_be_read_leaves_none_behind(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, release)
    project.write({"App": {"One": project.parameter("one", "after")}})
    aws.fault(kind="deny", match="cloudformation:DescribeChangeSet")
    with pytest.raises(Exception, match="Could not read change set"):
        observe(project)
    aws.clear_faults()
    assert change_sets(project, aws) == []


def test_an_update_keeps_the_template_it_replaces_for_the_way_back(project: Project, release: Release) -> None:
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, release)
    project.write({"App": {"One": project.parameter("one", "after")}})
    later = release.model_copy(update={"number": release.number + 1})
    assert deploy(project, later).status == "UPDATE_COMPLETE"
    before = told(project, later)[0].detail
    assert before["exists"] is True
    assert '"before"' in before["template"]


def test_removing_a_bucket_is_refused(project: Project, release: Release) -> None:
    project.write({"App": {"One": project.parameter("one", "1"), "Data": project.bucket("data")}})
    deploy(project, release)
    project.write({"App": {"One": project.parameter("one", "1")}})
    (refusal,) = plan(project).refusals
    assert refusal.startswith("App: Data (AWS::S3::Bucket) would be deleted")


def test_a_loss_that_the_plan_did_not_see_is_refused_on_the_change_set_that_would_be_executed(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    ssm, path = aws.client("ssm"), f"/{project.name}/bucket"
    ssm.put_parameter(Name=path, Type="String", Value=f"{project.name}-before")
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}}
    name = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": path}
    project.write({"App": {"Data": bucket}}, parameters={"App": {"Name": name}})
    deploy(project, release)
    assert plan(project).refusals == ()
    ssm.put_parameter(Name=path, Type="String", Value=f"{project.name}-after", Overwrite=True)
    with pytest.raises(
        StackFailed, match=r"^App: Data \(AWS::S3::Bucket\) would be replaced .*: its change set was not executed\.$"
    ):
        deploy(project, release.model_copy(update={"number": release.number + 1}))
    buckets = [found["Name"] for found in aws.client("s3").list_buckets()["Buckets"]]
    assert [found for found in buckets if found.startswith(project.name)] == [f"{project.name}-before"]
    assert change_sets(project, aws) == []


def test_a_stack_that_fails_names_the_first_resource_that_failed(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, reason="no capacity")
    with pytest.raises(
        StackFailed, match=r"ended in ROLLBACK_COMPLETE\. One \(AWS::SSM::Parameter\) CREATE_FAILED: no"
    ):
        deploy(project, release)
    assert told(project, release)[-1].event is Event.FAILED


def test_a_release_that_is_taken_up_again_reports_the_same_failure(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, reason="no capacity")
    for _ in range(2):
        with pytest.raises(StackFailed, match="no capacity"):
            deploy(project, release)
    name = project.stack("App").name
    events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    begun = [e for e in events if e["LogicalResourceId"] == name and e["ResourceStatus"] == "CREATE_IN_PROGRESS"]
    assert len(begun) == 1


def test_what_a_failed_creation_left_is_deleted_and_created_anew(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, times=1)
    with pytest.raises(StackFailed):
        deploy(project, release)
    later = release.model_copy(update={"number": release.number + 1})
    assert deploy(project, later).status == "CREATE_COMPLETE"


def test_polls_that_are_throttled_decide_nothing(project: Project, release: Release, aws: SandboxAws) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="throttle", match="cloudformation:DescribeStackEvents", times=6)
    assert deploy(project, release).status == "CREATE_COMPLETE"
    assert len(aws.hits()) >= 6


def test_an_answer_that_was_lost_does_not_execute_twice(project: Project, release: Release, aws: SandboxAws) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="drop", match="cloudformation:ExecuteChangeSet", times=1)
    outcome = deploy(project, release)
    events = aws.client("cloudformation").describe_stack_events(StackName=outcome.arn)["StackEvents"]
    begun = [e for e in events if e["LogicalResourceId"] == "One" and e["ResourceStatus"] == "CREATE_COMPLETE"]
    assert len(begun) == 1


def test_an_operation_that_was_started_before_is_followed_and_not_started_again(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    stack, formation = project.stack("App"), aws.client("cloudformation")
    token = release.token("Infrastructure/App")
    change_set = formation.create_change_set(
        StackName=stack.name, ChangeSetName=token, ChangeSetType="CREATE", TemplateBody=stack.template
    )["Id"]
    formation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig={"Delay": 1})
    formation.execute_change_set(ChangeSetName=change_set, ClientRequestToken=token)
    assert deploy(project, release).status == "CREATE_COMPLETE"
    assert told(project, release)[0].detail["was_started"] is True


def test_a_change_set_that_was_made_before_is_taken_up(project: Project, release: Release, aws: SandboxAws) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    stack = project.stack("App")
    aws.client("cloudformation").create_change_set(
        StackName=stack.name,
        ChangeSetName=release.token("Infrastructure/App"),
        ChangeSetType="CREATE",
        TemplateBody=stack.template,
    )
    assert deploy(project, release).status == "CREATE_COMPLETE"


def test_a_template_that_cloudformation_refuses_is_told_by_its_words(project: Project, release: Release) -> None:
    project.write({"App": {"One": {"Type": "AWS::No::Such"}}})
    with pytest.raises((Rejected, StackFailed), match="AWS::No::Such"):
        deploy(project, release)
