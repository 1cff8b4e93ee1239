"""Change sets whose process died, in the CloudFormation of the sandbox."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from clients.aws.cloudformation import CloudFormation, connect_cloudformation
from delivery.stacks.change_sets import name_preview
from tasks.stacks.change_sets import delete_orphaned_change_sets, wait_until_created
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "c" * 64
LATER = datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def cloudformation(project: Project) -> Iterator[CloudFormation]:
    """In the account exists a stack whose template changed after its deployment."""
    project.write({"App": {"One": project.parameter("one", "before")}})
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as context:
        deploy_stack.fn(context, project.stack("App"))
        project.write({"App": {"One": project.parameter("one", "after")}})
        yield connect_cloudformation(project.environment)


def leave_change_set(project: Project, cloudformation: CloudFormation, name: str) -> str:
    """Create a change set and do not delete it, as a plan whose process is killed. Returns its ARN."""
    arn = cloudformation.open_change_set(project.stack("App"), name, is_new=False)
    wait_until_created(project.environment, cloudformation, arn)
    return arn


def stack_arn(project: Project, cloudformation: CloudFormation) -> str:
    state = cloudformation.read_stack(project.stack("App").name)
    assert state is not None
    return state.arn


def remaining(project: Project, cloudformation: CloudFormation) -> list[str]:
    """The names of the change sets that were not executed."""
    listed = cloudformation.list_change_sets(stack_arn(project, cloudformation))
    return sorted(found.name for found in listed if found.execution_status == "AVAILABLE")


def test_change_sets_of_a_killed_plan_and_a_killed_release_are_deleted_and_logged_in_one_line(
    project: Project, cloudformation: CloudFormation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    other = "cdk-deploy-change-set"
    for name in (name_preview("0" * 32), "release-1-0123456789ab-Infrastructure-App", other):
        leave_change_set(project, cloudformation, name)
    delete_orphaned_change_sets(cloudformation, project.stack("App"), stack_arn(project, cloudformation), LATER)
    assert remaining(project, cloudformation) == [other]
    (line,) = (message for message in caplog.messages if "change set" in message)
    assert line.startswith("App: deleted 2 change sets of plans or releases whose process died.")


def test_a_change_set_that_cannot_be_deleted_does_not_stop_the_deletion_of_the_others(
    project: Project, cloudformation: CloudFormation, aws: SandboxAws, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for digit in "234":
        leave_change_set(project, cloudformation, name_preview(digit * 32))
    aws.fault(kind="deny", match="cloudformation:DeleteChangeSet", skip=1, times=1)
    delete_orphaned_change_sets(cloudformation, project.stack("App"), stack_arn(project, cloudformation), LATER)
    assert remaining(project, cloudformation) == [name_preview("3" * 32)]
    deleted, failed = (message for message in caplog.messages if "change set" in message)
    assert deleted.startswith("App: deleted 2 change sets of plans or releases whose process died.")
    assert failed.startswith("App: 1 of 3 change sets of processes that died are not deleted: Could not delete")


def test_a_change_set_that_may_still_be_in_use_is_not_deleted(project: Project, cloudformation: CloudFormation) -> None:
    name = name_preview("1" * 32)
    leave_change_set(project, cloudformation, name)
    observe_stack.fn(project.environment, project.stack("App"))
    assert remaining(project, cloudformation) == [name]


def test_a_plan_continues_if_it_cannot_list_the_change_sets(
    project: Project, cloudformation: CloudFormation, aws: SandboxAws, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    aws.fault(kind="deny", match="cloudformation:ListChangeSets")
    assert observe_stack.fn(project.environment, project.stack("App")).is_changed
    assert "App: change sets of processes that died are not deleted: Could not list the change sets of" in caplog.text


def test_the_change_set_that_created_a_stack_is_not_deleted(project: Project, cloudformation: CloudFormation) -> None:
    arn = stack_arn(project, cloudformation)
    before = cloudformation.list_change_sets(arn)
    delete_orphaned_change_sets(cloudformation, project.stack("App"), arn, LATER)
    assert [found.execution_status for found in before] == ["EXECUTE_COMPLETE"]
    assert cloudformation.list_change_sets(arn) == before
