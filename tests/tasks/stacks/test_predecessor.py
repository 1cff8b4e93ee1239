"""The operation of a release whose process was killed: later releases and plans follow it."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from delivery.context import ReleaseContext
from delivery.errors import Conflict
from delivery.journal.step_names import planned_step
from delivery.plan import Phase, StepAction
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome
from sandbox.testing import eventually
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.tasks.releases import next_release
from tests.tasks.stacks.updating import deploy_with_token

DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def context(project: Project) -> Iterator[ReleaseContext]:
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as context:
        yield context


def write_small(project: Project) -> None:
    """Write a template with one parameter, which is created at once."""
    project.write({"App": {"One": project.parameter("one", "1")}})


def write_large(project: Project, one: str = "1", clusters: int = 3) -> None:
    """Write a template with broker clusters in a sequence too, which take three seconds each on an idle machine."""
    names = ["One", *(f"Brokers{number}" for number in range(clusters))]
    resources = {"One": project.parameter("one", one)}
    for before, name in pairwise(names):
        cluster = project.cluster()
        cluster["Properties"]["ClusterName"] += f"-{name}"
        resources[name] = cluster | {"DependsOn": before}
    project.write({"App": resources})


def deploy(project: Project, context: ReleaseContext) -> StackOutcome:
    return deploy_stack.fn(context, project.stack("App"))


def status(project: Project, aws: SandboxAws) -> str:
    found = aws.client("cloudformation").describe_stacks(StackName=project.stack("App").name)
    return found["Stacks"][0]["StackStatus"]


def kill_while_updating(project: Project, aws: SandboxAws, folder: Path, token: str) -> None:
    """Start the update in a separate process, and kill the process. From now on, executions are counted."""
    aws.fault(kind="slow", seconds=0, match="cloudformation:ExecuteChangeSet")
    settings = folder / "environment.json"
    settings.write_text(project.environment.model_dump_json())
    process = subprocess.Popen([sys.executable, "-m", "tests.tasks.stacks.updating", settings, "App", token])
    # Not until the stack is in UPDATE_IN_PROGRESS: on a busy machine, the update may end before this reads it.
    eventually(lambda: status(project, aws) != "CREATE_COMPLETE", "the start of the update")
    process.kill()
    process.wait()


def executions(aws: SandboxAws) -> int:
    return [hit["at"] for hit in aws.hits()].count("cloudformation:ExecuteChangeSet")


def test_an_update_whose_process_was_killed_is_followed_and_not_started_again(
    project: Project, aws: SandboxAws, tmp_path: Path
) -> None:
    write_small(project)
    deploy_with_token(project.environment, "App", "release-1-App")
    write_large(project)
    kill_while_updating(project, aws, tmp_path, "release-2-App")
    assert deploy_with_token(project.environment, "App", "release-2-App").status == "UPDATE_COMPLETE"
    assert executions(aws) == 1


@pytest.fixture
def next_context(project: Project, context: ReleaseContext, aws: SandboxAws, tmp_path: Path) -> ReleaseContext:
    """The release after one whose process was killed while it updated the stack."""
    return kill_release(project, context, aws, tmp_path)


def kill_release(
    project: Project, context: ReleaseContext, aws: SandboxAws, folder: Path, clusters: int = 3
) -> ReleaseContext:
    write_small(project)
    deploy(project, context)
    write_large(project, clusters=clusters)
    token = context.release.model_copy(update={"number": 7, "nonce": "gone"}).token(planned_step(Phase.STACKS, "App"))
    kill_while_updating(project, aws, folder, token)
    return next_release(context, number=8, nonce="next")


def test_the_next_release_follows_the_operation_of_a_killed_one_and_has_nothing_to_do(
    project: Project, next_context: ReleaseContext, aws: SandboxAws
) -> None:
    outcome = deploy(project, next_context)
    assert (outcome.action, outcome.status) == (StepAction.NOTHING, "UPDATE_COMPLETE")
    assert executions(aws) == 1


def test_the_next_release_follows_the_operation_of_a_killed_one_and_then_makes_its_own_change(
    project: Project, next_context: ReleaseContext, aws: SandboxAws
) -> None:
    write_large(project, one="2")
    outcome = deploy(project, next_context)
    assert (outcome.action, outcome.status) == (StepAction.CHANGE, "UPDATE_COMPLETE")
    assert executions(aws) == 2


def test_a_plan_waits_for_the_operation_of_a_killed_release(project: Project, next_context: ReleaseContext) -> None:
    found = observe_stack.fn(project.environment, project.stack("App"))
    plan = plan_stacks([project.stack("App")], {"App": found})
    assert plan.refusals == ()
    assert [step.action for step in plan.steps] == [StepAction.NOTHING]


def test_an_operation_of_a_killed_release_that_does_not_end_in_time_is_a_conflict_with_its_number(
    project: Project, context: ReleaseContext, aws: SandboxAws, tmp_path: Path
) -> None:
    later = kill_release(project, context, aws, tmp_path, clusters=15)
    stacks = project.environment.stacks.model_copy(update={"deadline": timedelta(0)})
    environment = project.environment.model_copy(update={"stacks": stacks})
    with pytest.raises(
        Conflict, match=r"is in UPDATE_IN_PROGRESS, started by release 7\. Wait until the operation has ended"
    ):
        deploy_stack.fn(replace(later, environment=environment), project.stack("App"))
