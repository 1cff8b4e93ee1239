"""Change sets that nobody deletes any more, at the sandbox's CloudFormation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from clients.aws.cloudformation import Formation, connect_formation
from delivery.stacks.change_sets import name_preview
from tasks.stacks.change_sets import delete_leftovers, wait_until_described
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws

DIGEST = "sha256:" + "c" * 64
LATER = datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def formation(project: Project) -> Iterator[Formation]:
    """Of an account with the project's stack, towards which a template has changed since."""
    project.write({"App": {"One": project.parameter("one", "before")}})
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as release:
        deploy_stack.fn(project.environment, release, project.stack("App"))
        project.write({"App": {"One": project.parameter("one", "after")}})
        yield connect_formation(project.environment)


def leave(project: Project, formation: Formation, name: str) -> str:
    """As a plan leaves a change set whose process is killed once it is described."""
    arn = formation.open_change_set(project.stack("App"), name, is_new=False)
    wait_until_described(project.environment, formation, arn)
    return arn


def stack_arn(project: Project, formation: Formation) -> str:
    state = formation.read_stack(project.stack("App").name)
    assert state is not None
    return state.arn


def left(project: Project, formation: Formation) -> list[str]:
    listed = formation.list_change_sets(stack_arn(project, formation))
    return sorted(found.name for found in listed if found.execution_status == "AVAILABLE")


def test_what_a_killed_plan_and_a_killed_release_left_is_deleted_and_told_in_one_line(
    project: Project, formation: Formation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    theirs = "cdk-deploy-change-set"
    for name in (name_preview("0" * 32), "release-1-0123456789ab-Infrastructure-App", theirs):
        leave(project, formation, name)
    delete_leftovers(formation, project.stack("App"), stack_arn(project, formation), LATER)
    assert left(project, formation) == [theirs]
    (line,) = (message for message in caplog.messages if "change set" in message)
    assert line.startswith("App: deleted 2 change sets, the oldest of ")


def test_one_that_cannot_be_deleted_hides_none_of_those_that_were(
    project: Project, formation: Formation, aws: SandboxAws, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for digit in "234":
        leave(project, formation, name_preview(digit * 32))
    aws.fault(kind="deny", match="cloudformation:DeleteChangeSet", skip=1, times=1)
    delete_leftovers(formation, project.stack("App"), stack_arn(project, formation), LATER)
    assert left(project, formation) == [name_preview("3" * 32)]
    went, stayed = (message for message in caplog.messages if "change set" in message)
    assert went.startswith("App: deleted 2 change sets, the oldest of ")
    assert stayed.startswith("App: 1 of 3 change sets that were left stay: Could not delete change set arn:")


def test_a_change_set_that_may_still_be_looked_at_stays(project: Project, formation: Formation) -> None:
    name = name_preview("1" * 32)
    leave(project, formation, name)
    observe_stack.fn(project.environment, project.stack("App"))
    assert left(project, formation) == [name]


def test_a_plan_goes_on_where_it_may_not_look_for_what_others_left(
    project: Project, formation: Formation, aws: SandboxAws, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    aws.fault(kind="deny", match="cloudformation:ListChangeSets")
    assert observe_stack.fn(project.environment, project.stack("App")).is_changed
    assert "App: what plans that died left of change sets stays: Could not list the change sets of" in caplog.text


def test_the_change_set_that_made_a_stack_is_its_history(project: Project, formation: Formation) -> None:
    arn = stack_arn(project, formation)
    before = formation.list_change_sets(arn)
    delete_leftovers(formation, project.stack("App"), arn, LATER)
    assert [found.execution_status for found in before] == ["EXECUTE_COMPLETE"]
    assert formation.list_change_sets(arn) == before
