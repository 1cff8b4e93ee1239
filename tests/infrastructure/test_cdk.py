"""The committed cloud assembly and its app with the CDK command line."""

from collections.abc import Iterator

import pytest

from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings
from tests.aws import SandboxAws
from tests.infrastructure.assembly import ASSEMBLY, read_stacks
from tests.infrastructure.cdk_cli import cdk

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]
DEPLOY = ("deploy", "--all", "--concurrency", "4", "--require-approval", "never", "--app", ASSEMBLY)
CONTEXT = ("--context", "environment=production", "--context", "projectName=genai-demo")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account into which the CDK command line deployed the committed assembly."""
    settings = SandboxSettings(time_factor=100.0)
    with Sandbox(tmp_path_factory.mktemp("cdk"), parts=("aws", "postgres"), settings=settings) as sandbox:
        cdk(sandbox, *DEPLOY)
        yield sandbox


def test_the_command_line_deploys_all_six_stacks_with_termination_protection(account: Sandbox) -> None:
    found = SandboxAws(account.addresses.aws).client("cloudformation").describe_stacks()["Stacks"]
    status = {stack["StackName"]: (stack["StackStatus"], stack["EnableTerminationProtection"]) for stack in found}
    names = [artifact["properties"]["stackName"] for artifact in read_stacks().values()]
    assert status == dict.fromkeys(names, ("CREATE_COMPLETE", True))


def test_a_second_deployment_finds_no_changes(account: Sandbox) -> None:
    assert cdk(account, *DEPLOY).count("(no changes)") == len(read_stacks())


def test_the_command_of_the_guide_synthesizes_the_committed_assembly(account: Sandbox) -> None:
    printed = cdk(account, "deploy", "NetworkStack", *CONTEXT, "--require-approval", "never")
    assert printed.count("(no changes)") == 1
