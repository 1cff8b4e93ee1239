"""Change sets whose process died, in the CloudFormation of the sandbox."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from clients.aws.cloudformation import Formation, connect_formation
from delivery.stacks.change_sets import name_preview
from tasks.stacks.change_sets import delete_orphaned, wait_until_created
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "c" * 64
LATER = datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def formation(project: Project) -> Iterator[Formation]:
    """In the account exists a stack whose template changed after its deployment."""
    project.write({"App": {"One": project.parameter("one", "before")}})
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as context:
        deploy_stack.fn(context, project.stack("App"))
        project.write({"App": {"One": project.parameter("one", "after")}})
        yield connect_formation(project.environment)


def leave_change_set(project: Project, formation: Formation, name: str) -> str:
    """Create a change set and do not delete it, as a plan whose process is killed. Returns its ARN."""
    arn = formation.open_change_set(project.stack("App"), name, is_new=False)
    wait_until_created(project.environment, formation, arn)
    return arn


def stack_arn(project: Project, formation: Formation) -> str:
    state = formation.read_stack(project.stack("App").name)
    assert state is not None
    return state.arn


def remaining(project: Project, formation: Formation) -> list[str]:
    """The names of the change sets that were not executed."""
    listed = formation.list_change_sets(stack_arn(project, formation))
    return sorted(found.name for found in listed if found.execution_status == "AVAILABLE")


def test_change_sets_of_a_killed_plan_and_a_killed_release_are_deleted_and_logged_in_one_line(
    project: Project, formation: Formation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    other = "cdk-deploy-change-set"
    for name in (name_preview("0" * 32), "release-1-0123456789ab-Infrastructure-App", other):
        leave_change_set(project, formation, name)
    delete_orphaned(formation, project.stack("App"), stack_arn(project, formation), LATER)
    assert remaining(project, formation) == [other]
    (line,) = (message for message in caplog.messages if "change set" in message)
    assert line.startswith("App: deleted 2 change sets of plans or releases whose process died.")


def test_a_change_set_that_cannot_be_deleted_does_not_stop_the_deletion_of_the_others(
    project: Project, formation: Formation, aws: SandboxAws, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for digit in "234":
        leave_change_set(project, formation, name_preview(digit * 32))
    aws.fault(kind="deny", match="cloudformation:DeleteChangeSet", skip=1, times=1)
    delete_orphaned(formation, project.stack("App"), stack_arn(project, formation), LATER)
    assert remaining(project, formation) == [name_preview("3" * 32)]
    deleted, failed = (message for message in caplog.messages if "change set" in message)
    assert deleted.startswith("App: deleted 2 change sets of plans or releases whose process died.")
    assert failed.startswith("App: 1 of 3 change sets of processes that died are not deleted: Could not delete")


def test_a_change_set_that_may_still_be_in_use_is_not_deleted(project: Project, formation: Formation) -> None:
    name = name_preview("1" * 32)
    leave_change_set(project, formation, name)
    observe_stack.fn(project.environment, project.stack("App"))
    assert remaining(project, formation) == [name]


def test_a_plan_continues_if_it_cannot_list_the_change_sets(
    project: Project, formation: Formation, aws: SandboxAws, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    aws.fault(kind="deny", match="cloudformation:ListChangeSets")
    assert observe_stack.fn(project.environment, project.stack("App")).is_changed
    assert "App: change sets of processes that died are not deleted: Could not list the change sets of" in caplog.text


def test_the_change_set_that_created_a_stack_is_not_deleted(project: Project, formation: Formation) -> None:
    arn = stack_arn(project, formation)
    before = formation.list_change_sets(arn)
    delete_orphaned(formation, project.stack("App"), arn, LATER)
    assert [found.execution_status for found in before] == ["EXECUTE_COMPLETE"]
    assert formation.list_change_sets(arn) == before
