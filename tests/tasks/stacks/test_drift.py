"""The scheduled check of the stacks, by reads of a real CloudFormation."""

import pytest

from delivery.canary.verdict import Verdict
from delivery.release import Release
from tasks.stacks.deploy import deploy_stack
from tasks.stacks.drift import compare_stacks
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "d" * 64
READS = {"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "ssm:GetParameters"}


@pytest.fixture
def deployed(project: Project) -> Project:
    """A stack as its assembly has it, one value of which comes from the parameter store."""
    project.write({"App": {"One": project.parameter("one", "1")}})
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as release:
        deploy(project, release)
    return project


def deploy(project: Project, release: Release) -> None:
    deploy_stack.fn(project.environment, release, project.stack("App"))


def test_a_deployed_stack_is_as_the_assembly_has_it(deployed: Project) -> None:
    check = compare_stacks(deployed.environment)
    assert (check.verdict, check.seen) == (Verdict.PASS, "1 stacks as the assembly has them")


def test_a_check_only_reads(deployed: Project, aws: SandboxAws) -> None:
    aws.fault(kind="slow", seconds=0)
    compare_stacks(deployed.environment)
    # The cluster's controllers ask other services of the same AWS.
    asked = {hit["at"] for hit in aws.hits() if hit["at"].startswith(("cloudformation:", "ssm:"))}
    assert "cloudformation:DescribeStacks" in asked
    assert asked <= READS


def test_a_stack_that_was_updated_by_hand_is_told(deployed: Project, aws: SandboxAws) -> None:
    name = deployed.stack("App").name
    deployed.write({"App": {"One": deployed.parameter("one", "2")}})
    formation = aws.client("cloudformation")
    made = formation.create_change_set(
        StackName=name, ChangeSetName="by-hand", TemplateBody=deployed.stack("App").template
    )["Id"]
    formation.get_waiter("change_set_create_complete").wait(ChangeSetName=made, WaiterConfig={"Delay": 1})
    formation.execute_change_set(ChangeSetName=made)
    formation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    deployed.write({"App": {"One": deployed.parameter("one", "1")}})
    assert compare_stacks(deployed.environment).seen == "App: another template"


def test_a_stack_that_is_missing_is_told(project: Project) -> None:
    project.write({"App": {"One": project.parameter("one", "1")}})
    assert compare_stacks(project.environment).seen == "App: there is none"
