"""What a release whose process was killed left under way at a stack, and what is made of it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from delivery.errors import Conflict
from delivery.journal.step_names import planned_step
from delivery.plan import Phase, StepAction
from delivery.release import Release
from delivery.stacks.planning import plan_stacks
from delivery.stacks.progress import StackOutcome
from sandbox.testing import eventually
from tasks.stacks.deploy import deploy_stack, observe_stack
from tasks.state.lock import lock_environment
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.tasks.stacks.updating import bring

DIGEST = "sha256:" + "e" * 64


@pytest.fixture
def release(project: Project) -> Iterator[Release]:
    with lock_environment(project.environment, DIGEST, "hash", "test", wait=False) as release:
        yield release


def small(project: Project) -> None:
    """Writes the stack's template: one parameter, made at once."""
    project.write({"App": {"One": project.parameter("one", "1")}})


def large(project: Project, one: str = "1", clusters: int = 3) -> None:
    """The same with broker clusters that are made one after another, three seconds each on a quiet machine."""
    names = ["One", *(f"Brokers{number}" for number in range(clusters))]
    resources = {"One": project.parameter("one", one)}
    for before, name in pairwise(names):
        made = project.cluster()
        made["Properties"]["ClusterName"] += f"-{name}"
        resources[name] = made | {"DependsOn": before}
    project.write({"App": resources})


def deploy(project: Project, release: Release) -> StackOutcome:
    return deploy_stack.fn(project.environment, release, project.stack("App"))


def status(project: Project, aws: SandboxAws) -> str:
    found = aws.client("cloudformation").describe_stacks(StackName=project.stack("App").name)
    return found["Stacks"][0]["StackStatus"]


def kill_while_updating(project: Project, aws: SandboxAws, folder: Path, token: str) -> None:
    """A process of its own begins the update, and is killed while the stack is under way. Executions are counted."""
    aws.fault(kind="slow", seconds=0, match="cloudformation:ExecuteChangeSet")
    settings = folder / "environment.json"
    settings.write_text(project.environment.model_dump_json())
    process = subprocess.Popen([sys.executable, "-m", "tests.tasks.stacks.updating", settings, "App", token])
    # Not that it is in progress: on a busy machine that may be over before anybody sees it.
    eventually(lambda: status(project, aws) != "CREATE_COMPLETE", "the begin of the update")
    process.kill()
    process.wait()


def executions(aws: SandboxAws) -> int:
    return [hit["at"] for hit in aws.hits()].count("cloudformation:ExecuteChangeSet")


def test_an_update_whose_process_was_killed_is_followed_and_not_started_again(
    project: Project, aws: SandboxAws, tmp_path: Path
) -> None:
    small(project)
    bring(project.environment, "App", "release-1-App")
    large(project)
    kill_while_updating(project, aws, tmp_path, "release-2-App")
    assert bring(project.environment, "App", "release-2-App").status == "UPDATE_COMPLETE"
    assert executions(aws) == 1


@pytest.fixture
def left_under_way(project: Project, release: Release, aws: SandboxAws, tmp_path: Path) -> Release:
    """The release after one whose process was killed while it updated the stack."""
    return leave_under_way(project, release, aws, tmp_path)


def leave_under_way(project: Project, release: Release, aws: SandboxAws, folder: Path, clusters: int = 3) -> Release:
    small(project)
    deploy(project, release)
    large(project, clusters=clusters)
    token = release.model_copy(update={"number": 7, "nonce": "gone"}).token(planned_step(Phase.STACKS, "App"))
    kill_while_updating(project, aws, folder, token)
    return release.model_copy(update={"number": 8, "nonce": "next"})


def test_the_next_release_follows_what_a_killed_one_left_under_way_and_has_nothing_to_do(
    project: Project, left_under_way: Release, aws: SandboxAws
) -> None:
    outcome = deploy(project, left_under_way)
    assert (outcome.action, outcome.status) == (StepAction.NOTHING, "UPDATE_COMPLETE")
    assert executions(aws) == 1


def test_the_next_release_follows_what_a_killed_one_left_under_way_and_then_makes_its_own_change(
    project: Project, left_under_way: Release, aws: SandboxAws
) -> None:
    large(project, one="2")
    outcome = deploy(project, left_under_way)
    assert (outcome.action, outcome.status) == (StepAction.CHANGE, "UPDATE_COMPLETE")
    assert executions(aws) == 2


def test_a_plan_waits_for_what_a_killed_release_left_under_way_and_then_knows_what_is_left(
    project: Project, left_under_way: Release
) -> None:
    found = observe_stack.fn(project.environment, project.stack("App"))
    plan = plan_stacks([project.stack("App")], {"App": found})
    assert plan.refusals == ()
    assert [step.action for step in plan.steps] == [StepAction.NOTHING]


def test_what_a_killed_release_left_and_does_not_end_in_time_is_told_by_its_number(
    project: Project, release: Release, aws: SandboxAws, tmp_path: Path
) -> None:
    later = leave_under_way(project, release, aws, tmp_path, clusters=15)
    stacks = project.environment.stacks.model_copy(update={"deadline": timedelta(0)})
    environment = project.environment.model_copy(update={"stacks": stacks})
    with pytest.raises(Conflict, match=r"is in UPDATE_IN_PROGRESS, by release 7\. Wait until it has ended"):
        deploy_stack.fn(environment, later, project.stack("App"))
