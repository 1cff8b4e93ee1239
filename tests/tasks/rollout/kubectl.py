"""kubectl, as a person uses it during a release."""

import subprocess
import sys
from pathlib import Path

from sandbox.testing import PATIENCE
from tests.shop import Shop


def kubectl(shop: Shop, *arguments: str) -> str:
    """The output of kubectl in the namespace of the shop."""
    program = Path(sys.executable).parent / "kubectl"
    config = shop.environment.application.kubeconfig or ""
    command = [program, "--kubeconfig", config, "--namespace", shop.namespace, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
