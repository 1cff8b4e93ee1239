"""A template that is too large for a request is sent from the bucket of the state."""

import json
from pathlib import Path

import pytest

from delivery.environment import Environment
from delivery.plan import StepAction
from tasks.stacks.deploy import observe_stack
from tests.assemblies import Project
from tests.aws import SandboxAws
from tests.tasks.stacks.updating import deploy_with_token


@pytest.fixture
def environment(project: Project, aws: SandboxAws) -> Environment:
    """The template of the stack is large, and the state is in a bucket."""
    project.write({"App": {"One": project.parameter("one", "1")}})
    path = Path(project.environment.stacks.assembly) / "App.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "Metadata": {"why": "x" * 60_000}}))
    aws.client("s3").create_bucket(Bucket=f"{project.name}-state")
    state = project.environment.state.model_copy(update={"url": f"s3://{project.name}-state/slipway"})
    return project.environment.model_copy(update={"state": state})


def test_a_large_template_is_deployed_from_the_bucket(
    project: Project, environment: Environment, aws: SandboxAws
) -> None:
    assert deploy_with_token(environment, "App", "release-1-App").status == "CREATE_COMPLETE"
    (stored,) = aws.client("s3").list_objects_v2(Bucket=f"{project.name}-state")["Contents"]
    assert stored["Key"].startswith("slipway/templates/")


def test_the_plan_of_a_large_template_uses_the_same_object(
    project: Project, environment: Environment, aws: SandboxAws
) -> None:
    deploy_with_token(environment, "App", "release-1-App")
    found = observe_stack.fn(environment, project.stack("App"))
    assert (found.is_changed, found.refused) == (False, None)
    assert len(aws.client("s3").list_objects_v2(Bucket=f"{project.name}-state")["Contents"]) == 1


def test_an_unchanged_large_template_has_nothing_to_do(project: Project, environment: Environment) -> None:
    first = deploy_with_token(environment, "App", "release-1-App")
    again = deploy_with_token(environment, "App", "release-2-App")
    assert (again.arn, again.action) == (first.arn, StepAction.NOTHING)
