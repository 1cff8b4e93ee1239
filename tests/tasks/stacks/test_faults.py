"""Requests that CloudFormation ignores, responses that are lost, and operations that fail halfway."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from delivery.context import ReleaseContext
from delivery.errors import Conflict, NotApplied, StackFailed
from delivery.plan import StepAction
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome
from sandbox.testing import eventually
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.tasks.releases import next_release

DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def context(project: Project) -> Iterator[ReleaseContext]:
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as context:
        yield context


@pytest.fixture
def changing(project: Project, context: ReleaseContext) -> ReleaseContext:
    """The release after the one that created the stack. It has a change."""
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, context)
    project.write({"App": {"One": project.parameter("one", "after")}})
    return next_release(context)


def deploy(project: Project, context: ReleaseContext) -> StackOutcome:
    return deploy_stack.fn(context, project.stack("App"))


def value(project: Project, aws: SandboxAws) -> str:
    return aws.client("ssm").get_parameter(Name=f"/{project.name}/one")["Parameter"]["Value"]


def status(project: Project, aws: SandboxAws) -> str:
    found = aws.client("cloudformation").describe_stacks(StackName=project.stack("App").name)
    return found["Stacks"][0]["StackStatus"]


def test_a_change_set_that_is_accepted_and_not_created_fails_the_step(
    project: Project, changing: ReleaseContext, aws: SandboxAws
) -> None:
    aws.fault(kind="ignore", match="cloudformation:CreateChangeSet")
    with pytest.raises(NotApplied, match=r"^App: CloudFormation accepted the change set of .*, but does not list it\."):
        deploy(project, changing)
    assert value(project, aws) == "before"


def test_a_change_set_that_is_not_created_in_time_is_not_retried(project: Project, changing: ReleaseContext) -> None:
    stacks = project.environment.stacks.model_copy(update={"deadline": timedelta(0)})
    environment = project.environment.model_copy(update={"stacks": stacks})
    with pytest.raises(NotApplied, match=r"did not create change set .* the stack is unchanged\. .* try again"):
        observe_stack.fn(environment, project.stack("App"))


def test_an_execution_that_is_accepted_and_not_started_fails_the_step(
    project: Project, changing: ReleaseContext, aws: SandboxAws
) -> None:
    aws.fault(kind="ignore", match="cloudformation:ExecuteChangeSet")
    with pytest.raises(NotApplied, match=r"App: CloudFormation accepted the execution of .*, but did not start it\."):
        deploy(project, changing)
    assert value(project, aws) == "before"


def test_a_termination_protection_that_is_accepted_and_not_set_fails_the_step(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="ignore", match="cloudformation:UpdateTerminationProtection")
    with pytest.raises(NotApplied, match="was deployed, but its termination protection is still off"):
        deploy(project, context)


def test_a_deletion_that_is_accepted_and_not_started_fails_the_step(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, times=1)
    with pytest.raises(StackFailed):
        deploy(project, context)
    aws.fault(kind="ignore", match="cloudformation:DeleteStack")
    with pytest.raises(
        NotApplied, match=r"accepted the deletion of .* after its failed creation, but did not start it"
    ):
        deploy(project, next_release(context))
    assert status(project, aws) == "ROLLBACK_COMPLETE"


def test_a_stack_whose_third_resource_fails_has_no_resources_afterwards(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    names = ("one", "two", "three", "four")
    resources = {name.title(): project.parameter(name, name) for name in names}
    for before, after in zip(resources, list(resources)[1:], strict=False):
        resources[after]["DependsOn"] = before
    project.write({"App": resources})
    aws.fault(resource="Three", stack=project.stack("App").name, reason="no capacity")
    with pytest.raises(StackFailed, match=r"ended in ROLLBACK_COMPLETE\. Three \(.*\) CREATE_FAILED: no capacity"):
        deploy(project, context)
    paths = [f"/{project.name}/{name}" for name in names]
    assert aws.client("ssm").get_parameters(Names=paths)["Parameters"] == []


def test_an_update_that_cannot_be_rolled_back_needs_an_operator(
    project: Project, changing: ReleaseContext, aws: SandboxAws
) -> None:
    resources = {"One": project.parameter("one", "after"), "Two": {**project.parameter("two", "2"), "DependsOn": "One"}}
    project.write({"App": resources})
    stack = project.stack("App").name
    aws.fault(resource="Two", stack=stack, reason="no capacity")
    # The update of the resource succeeds, and its rollback fails.
    aws.fault(resource="One", stack=stack, reason="still in use", skip=1)
    with pytest.raises(StackFailed, match=rf"ended in UPDATE_ROLLBACK_FAILED\. .* continue-update-rollback .*{stack}"):
        deploy(project, changing)
    refused_until_fixed(project, changing, rf"is in UPDATE_ROLLBACK_FAILED\. Fix the cause, then .*: aws .*{stack}")


def test_a_creation_that_cannot_be_rolled_back_needs_an_operator(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    resources = {"One": project.parameter("one", "1"), "Two": {**project.parameter("two", "2"), "DependsOn": "One"}}
    project.write({"App": resources})
    stack = project.stack("App").name
    aws.fault(resource="Two", stack=stack, reason="no capacity")
    aws.fault(resource="One", stack=stack, verb="DELETE", reason="still in use")
    with pytest.raises(StackFailed, match=r"ended in ROLLBACK_FAILED\. Two .* failed to delete: \[One\]\. Delete the"):
        deploy(project, context)
    refused_until_fixed(project, context, rf"is in ROLLBACK_FAILED\. Delete the stack: aws .* --stack-name {stack}")


def test_a_deletion_that_failed_halfway_needs_an_operator(
    project: Project, changing: ReleaseContext, aws: SandboxAws
) -> None:
    stack, cloudformation = project.stack("App").name, aws.client("cloudformation")
    aws.fault(resource="One", stack=stack, verb="DELETE", reason="still in use")
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=stack)
    eventually(lambda: status(project, aws) == "DELETE_FAILED")
    refused_until_fixed(project, changing, rf"is in DELETE_FAILED\. Delete the rest of the stack: aws .*{stack}")


def refused_until_fixed(project: Project, context: ReleaseContext, sentence: str) -> None:
    """The next release fails with this sentence, and its plan is refused with it."""
    with pytest.raises(StackFailed, match=sentence):
        deploy(project, next_release(context))
    found = observe_stack.fn(project.environment, project.stack("App"))
    (refusal,) = plan_stacks([project.stack("App")], {"App": found}).refusals
    assert re.search(sentence.replace("\\. ", " and cannot be updated. ", 1), refusal)


def test_a_stack_that_another_client_changes_is_not_changed(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"Brokers": project.cluster()}})
    stack, cloudformation = project.stack("App"), aws.client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=stack.name, ChangeSetName="other", ChangeSetType="CREATE", TemplateBody=stack.template
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig={"Delay": 1})
    cloudformation.execute_change_set(ChangeSetName=change_set)
    who = r"is in CREATE_IN_PROGRESS, started by another client \(.*the event history of CloudTrail shows who\)"
    with pytest.raises(Conflict, match=rf"{who}\. Wait until the operation has ended"):
        deploy(project, context)
    found = observe_stack.fn(project.environment, stack)
    (refusal,) = plan_stacks([stack], {"App": found}).refusals
    assert re.search(rf"{who}, and cannot be updated\. Wait until the operation has ended", refusal)


def test_nothing_is_done_twice_if_the_first_response_of_each_call_is_lost(
    project: Project, context: ReleaseContext, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="drop", match="cloudformation:*", each=1)
    outcome = deploy(project, context)
    lost = {hit["at"].partition(":")[2] for hit in aws.hits()}
    aws.clear_faults()
    assert {"CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection", "DescribeStacks"} <= lost
    assert (outcome.action, outcome.status) == (StepAction.CREATE, "CREATE_COMPLETE")
    assert count_operations(outcome, aws) == 1


def count_operations(outcome: StackOutcome, aws: SandboxAws) -> int:
    """The number of operations on the stack, from its events."""
    events = aws.client("cloudformation").describe_stack_events(StackName=outcome.arn)["StackEvents"]
    statuses = [event["ResourceStatus"] for event in events if event["PhysicalResourceId"] == outcome.arn]
    return sum(status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") for status in statuses)
