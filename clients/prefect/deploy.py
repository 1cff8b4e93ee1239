"""`prefect deploy`, which reads prefect.yaml."""

import subprocess
import sys
from pathlib import Path

from delivery.errors import Rejected

TIME_LIMIT_SECONDS = 300
LAST_LINES = 12


def deploy_all(checkout: Path) -> None:
    """Create or update all Prefect deployments in the prefect.yaml of the checkout. Raises Rejected."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    result = subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False
    )
    if result.returncode != 0:
        output = "\n".join((result.stdout + result.stderr).strip().splitlines()[-LAST_LINES:])
        raise Rejected(
            f"prefect deploy failed in {checkout}. Prefect deployments before the wrong one were created. Its last "
            f"lines:\n{output}"
        )
