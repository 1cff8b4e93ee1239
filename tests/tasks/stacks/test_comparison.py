"""The scheduled check of the stacks, with the CloudFormation of the sandbox."""

import pytest

from delivery.canary.verdict import Verdict
from delivery.context import ReleaseContext
from tasks.stacks.comparison import compare_stacks
from tasks.stacks.deploy import deploy_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "d" * 64
READS = {"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "ssm:GetParameters"}


@pytest.fixture
def deployed(project: Project) -> Project:
    """A project whose stack matches the cloud assembly."""
    project.write({"App": {"One": project.parameter("one", "1")}})
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as context:
        deploy(project, context)
    return project


def deploy(project: Project, context: ReleaseContext) -> None:
    deploy_stack.fn(context, project.stack("App"))


def test_a_deployed_stack_matches_the_assembly(deployed: Project) -> None:
    check = compare_stacks(deployed.environment)
    assert (check.verdict, check.seen) == (Verdict.PASS, "1 of 1 stacks match the cloud assembly")


def test_a_check_only_reads(deployed: Project, aws: SandboxAws) -> None:
    aws.fault(kind="slow", seconds=0)
    compare_stacks(deployed.environment)
    # The controllers of the cluster call other services of the same AWS.
    calls = {hit["at"] for hit in aws.hits() if hit["at"].startswith(("cloudformation:", "ssm:"))}
    assert "cloudformation:DescribeStacks" in calls
    assert calls <= READS


def test_a_manual_update_of_a_stack_is_found(deployed: Project, aws: SandboxAws) -> None:
    name = deployed.stack("App").name
    deployed.write({"App": {"One": deployed.parameter("one", "2")}})
    cloudformation = aws.client("cloudformation")
    change_set = cloudformation.create_change_set(
        StackName=name, ChangeSetName="manual", TemplateBody=deployed.stack("App").template
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig={"Delay": 1})
    cloudformation.execute_change_set(ChangeSetName=change_set)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    deployed.write({"App": {"One": deployed.parameter("one", "1")}})
    assert compare_stacks(deployed.environment).seen == "App: different template"


def test_a_missing_stack_is_found(project: Project) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    assert compare_stacks(project.environment).seen == "App: the stack does not exist"
