"""`prefect deploy`, which knows how to read prefect.yaml."""

import subprocess
import sys
from pathlib import Path

from delivery.errors import Rejected

TIME_LIMIT_SECONDS = 300
LAST_LINES = 12


def deploy_all(checkout: Path) -> None:
    """Every deployment of the checkout's prefect.yaml, made or brought up to date. Raises Rejected."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    result = subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False
    )
    if result.returncode != 0:
        said = "\n".join((result.stdout + result.stderr).strip().splitlines()[-LAST_LINES:])
        raise Rejected(
            f"prefect deploy failed in {checkout}; deployments before the faulty one were made. It said:\n{said}"
        )
