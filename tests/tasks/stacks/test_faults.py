"""What CloudFormation does not do, loses or leaves half done: each is told by the step that it happens to."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from delivery.errors import Conflict, NotApplied, StackFailed
from delivery.plan import StepAction
from delivery.release import Release
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome
from sandbox.testing import eventually
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def release(project: Project) -> Iterator[Release]:
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


@pytest.fixture
def changing(project: Project, release: Release) -> Release:
    """The release after the one that made the stack; it has a change to make."""
    project.write({"App": {"One": project.parameter("one", "before")}})
    deploy(project, release)
    project.write({"App": {"One": project.parameter("one", "after")}})
    return release.model_copy(update={"number": release.number + 1})


def deploy(project: Project, release: Release) -> StackOutcome:
    return deploy_stack.fn(project.environment, release, project.stack("App"))


def value(project: Project, aws: SandboxAws) -> str:
    return aws.client("ssm").get_parameter(Name=f"/{project.name}/one")["Parameter"]["Value"]


def status(project: Project, aws: SandboxAws) -> str:
    found = aws.client("cloudformation").describe_stacks(StackName=project.stack("App").name)
    return found["Stacks"][0]["StackStatus"]


def test_a_change_set_that_was_taken_and_not_made_fails_the_step(
    project: Project, changing: Release, aws: SandboxAws
) -> None:
    aws.fault(kind="ignore", match="cloudformation:CreateChangeSet")
    with pytest.raises(NotApplied, match=r"^App: CloudFormation took the change set of .* and does not know it\."):
        deploy(project, changing)
    assert value(project, aws) == "before"


def test_a_change_set_that_is_not_described_in_time_says_so_and_is_not_asked_for_again(
    project: Project, changing: Release
) -> None:
    stacks = project.environment.stacks.model_copy(update={"deadline": timedelta(0)})
    environment = project.environment.model_copy(update={"stacks": stacks})
    with pytest.raises(NotApplied, match=r"has not described change set .* the stack is as it was\. .* start again"):
        observe_stack.fn(environment, project.stack("App"))


def test_an_execution_that_was_taken_and_not_begun_fails_the_step(
    project: Project, changing: Release, aws: SandboxAws
) -> None:
    aws.fault(kind="ignore", match="cloudformation:ExecuteChangeSet")
    with pytest.raises(NotApplied, match=r"App: CloudFormation took the execution of .* and did not begin it\."):
        deploy(project, changing)
    assert value(project, aws) == "before"


def test_a_protection_that_was_taken_and_not_set_fails_the_step(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="ignore", match="cloudformation:UpdateTerminationProtection")
    with pytest.raises(NotApplied, match="is not protected from deletion although it was asked for"):
        deploy(project, release)


def test_a_deletion_that_was_taken_and_not_begun_fails_the_step(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(resource="One", stack=project.stack("App").name, times=1)
    with pytest.raises(StackFailed):
        deploy(project, release)
    aws.fault(kind="ignore", match="cloudformation:DeleteStack")
    with pytest.raises(NotApplied, match=r"deletion of what a failed creation left of .* and did not begin it"):
        deploy(project, release.model_copy(update={"number": release.number + 1}))
    assert status(project, aws) == "ROLLBACK_COMPLETE"


def test_a_stack_that_fails_at_its_third_resource_leaves_none_of_them(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    names = ("one", "two", "three", "four")
    resources = {name.title(): project.parameter(name, name) for name in names}
    for before, after in zip(resources, list(resources)[1:], strict=False):
        resources[after]["DependsOn"] = before
    project.write({"App": resources})
    aws.fault(resource="Three", stack=project.stack("App").name, reason="no capacity")
    with pytest.raises(StackFailed, match=r"ended in ROLLBACK_COMPLETE\. Three \(.*\) CREATE_FAILED: no capacity"):
        deploy(project, release)
    asked = [f"/{project.name}/{name}" for name in names]
    assert aws.client("ssm").get_parameters(Names=asked)["Parameters"] == []


def test_an_update_that_cannot_be_taken_back_needs_a_person(
    project: Project, changing: Release, aws: SandboxAws
) -> None:
    resources = {"One": project.parameter("one", "after"), "Two": {**project.parameter("two", "2"), "DependsOn": "One"}}
    project.write({"App": resources})
    stack = project.stack("App").name
    aws.fault(resource="Two", stack=stack, reason="no capacity")
    # Once forward without fault, then the way back of the same resource fails.
    aws.fault(resource="One", stack=stack, reason="still in use", skip=1)
    with pytest.raises(StackFailed, match=rf"ended in UPDATE_ROLLBACK_FAILED\. .* continue-update-rollback .*{stack}"):
        deploy(project, changing)
    refused_by_hand(project, changing, rf"is in UPDATE_ROLLBACK_FAILED\. Mend the cause, then: aws .*{stack}")


def test_a_creation_that_cannot_be_taken_back_needs_a_person(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    resources = {"One": project.parameter("one", "1"), "Two": {**project.parameter("two", "2"), "DependsOn": "One"}}
    project.write({"App": resources})
    stack = project.stack("App").name
    aws.fault(resource="Two", stack=stack, reason="no capacity")
    aws.fault(resource="One", stack=stack, verb="DELETE", reason="still in use")
    with pytest.raises(StackFailed, match=r"ended in ROLLBACK_FAILED\. Two .* failed to delete: \[One\]\. Delete it:"):
        deploy(project, release)
    refused_by_hand(project, release, rf"is in ROLLBACK_FAILED\. Delete it: aws .* --stack-name {stack}")


def test_a_deletion_that_stopped_half_way_needs_a_person(project: Project, changing: Release, aws: SandboxAws) -> None:
    stack, formation = project.stack("App").name, aws.client("cloudformation")
    aws.fault(resource="One", stack=stack, verb="DELETE", reason="still in use")
    formation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    formation.delete_stack(StackName=stack)
    eventually(lambda: status(project, aws) == "DELETE_FAILED")
    refused_by_hand(project, changing, rf"is in DELETE_FAILED\. Delete what is left of it: aws .*{stack}")


def refused_by_hand(project: Project, release: Release, sentence: str) -> None:
    """The next release refuses it by this sentence, and so does its plan before it."""
    with pytest.raises(StackFailed, match=sentence):
        deploy(project, release.model_copy(update={"number": release.number + 1}))
    found = observe_stack.fn(project.environment, project.stack("App"))
    (refusal,) = plan_stacks([project.stack("App")], {"App": found}).refusals
    assert re.search(sentence.replace("\\. ", ", which refuses updates. ", 1), refusal)


def test_a_stack_that_somebody_else_changes_is_left_to_them(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"Brokers": project.cluster()}})
    stack, formation = project.stack("App"), aws.client("cloudformation")
    made = formation.create_change_set(
        StackName=stack.name, ChangeSetName="theirs", ChangeSetType="CREATE", TemplateBody=stack.template
    )["Id"]
    formation.get_waiter("change_set_create_complete").wait(ChangeSetName=made, WaiterConfig={"Delay": 1})
    formation.execute_change_set(ChangeSetName=made)
    who = r"is in CREATE_IN_PROGRESS, by somebody else \(its operation .* CloudTrail's event history tells who\)"
    with pytest.raises(Conflict, match=rf"{who}\. Wait until it has ended"):
        deploy(project, release)
    found = observe_stack.fn(project.environment, stack)
    (refusal,) = plan_stacks([stack], {"App": found}).refusals
    assert re.search(rf"{who}, which refuses updates\. Wait until it has ended", refusal)


def test_the_first_answer_of_each_operation_lost_does_nothing_twice(
    project: Project, release: Release, aws: SandboxAws
) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    aws.fault(kind="drop", match="cloudformation:*", each=1)
    outcome = deploy(project, release)
    lost = {hit["at"].partition(":")[2] for hit in aws.hits()}
    aws.clear_faults()
    assert {"CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection", "DescribeStacks"} <= lost
    assert (outcome.action, outcome.status) == (StepAction.CREATE, "CREATE_COMPLETE")
    assert begun(outcome, aws) == 1


def begun(outcome: StackOutcome, aws: SandboxAws) -> int:
    """How many operations the stack has seen."""
    events = aws.client("cloudformation").describe_stack_events(StackName=outcome.arn)["StackEvents"]
    own = [event["ResourceStatus"] for event in events if event["PhysicalResourceId"] == outcome.arn]
    return sum(told in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") for told in own)
