"""A template too large for a request goes by the state's bucket."""

import json
from pathlib import Path

import pytest

from delivery.environment import Environment
from delivery.plan import StepAction
from tasks.stacks.deploy import observe_stack
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.tasks.stacks.updating import bring


@pytest.fixture
def environment(project: Project, aws: SandboxAws) -> Environment:
    """The project's stack is large, its state lives in a bucket."""
    project.write({"App": {"One": project.parameter("one", "1")}})
    path = Path(project.environment.stacks.assembly) / "App.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "Metadata": {"why": "x" * 60_000}}))
    aws.client("s3").create_bucket(Bucket=f"{project.name}-state")
    state = project.environment.state.model_copy(update={"url": f"s3://{project.name}-state/slipway"})
    return project.environment.model_copy(update={"state": state})


def test_a_large_template_is_deployed_from_the_bucket(
    project: Project, environment: Environment, aws: SandboxAws
) -> None:
    assert bring(environment, "App", "release-1-App").status == "CREATE_COMPLETE"
    (stored,) = aws.client("s3").list_objects_v2(Bucket=f"{project.name}-state")["Contents"]
    assert stored["Key"].startswith("slipway/templates/")


def test_a_large_template_is_planned_by_the_same_object(
    project: Project, environment: Environment, aws: SandboxAws
) -> None:
    bring(environment, "App", "release-1-App")
    found = observe_stack.fn(environment, project.stack("App"))
    assert (found.is_changed, found.refused) == (False, None)
    assert len(aws.client("s3").list_objects_v2(Bucket=f"{project.name}-state")["Contents"]) == 1


def test_a_large_template_again_is_nothing_to_do(project: Project, environment: Environment) -> None:
    first = bring(environment, "App", "release-1-App")
    again = bring(environment, "App", "release-2-App")
    assert (again.arn, again.action) == (first.arn, StepAction.NOTHING)
