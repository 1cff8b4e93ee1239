"""Each import contract of pyproject.toml fails if it is violated, in a small tree for the test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
ROOMS = ("cli", "deployments", "flows", "tasks", "blocks", "clients", "delivery", "sandbox", "demo")
SUBROOMS = {
    "delivery": ("application", "rollback", "stacks", "canary", "journal", "rollout", "settings"),
    "tasks": ("canary", "rollback", "application", "rollout", "stacks", "state", "runs"),
    "sandbox/aws": ("server", "cloudformation", "services", "faults", "http", "cloud", "client"),
    "sandbox/kubernetes": ("api",),
    "sandbox/kubernetes/api": ("serving", "storage", "validation", "objects"),
}
DIRECTION = "Imports point down"
IN_DELIVERY = "Within delivery, imports point down"
IN_TASKS = "Within tasks, imports point down"
IN_SANDBOX_AWS = "Within the sandbox's AWS, imports point down"
IN_SANDBOX_API = "Within the sandbox's Kubernetes API server, imports point down"
PURE = "delivery decides"
OUTSIDE = "Only clients speak to the outside"
NO_SANDBOX = "The product knows neither the sandbox nor the demo"
NO_PRODUCT = "The sandbox knows neither the product nor the demo"


def lint(tree: Path, room: str = "", statement: str = "") -> subprocess.CompletedProcess[str]:
    for name in (*ROOMS, *SUBROOMS, *(f"{above}/{name}" for above, names in SUBROOMS.items() for name in names)):
        (tree / name).mkdir(exist_ok=True)
        (tree / name / "__init__.py").write_text("")
    if room:
        (tree / room / "violation.py").write_text(statement)
    (tree / "pyproject.toml").write_text((CHECKOUT / "pyproject.toml").read_text())
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_a_tree_without_violations_keeps_every_contract(tmp_path: Path) -> None:
    assert lint(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("room", "statement", "contract"),
    [
        ("tasks", "import flows", DIRECTION),
        ("clients", "import blocks", DIRECTION),
        ("flows", "import deployments", DIRECTION),
        ("delivery/rollout", "import delivery.canary", IN_DELIVERY),
        ("delivery/journal", "import delivery.canary", IN_DELIVERY),
        ("tasks/state", "import tasks.rollout", IN_TASKS),
        ("tasks/rollback", "import tasks.canary", IN_TASKS),
        ("delivery/settings", "import delivery.rollout", IN_DELIVERY),
        ("sandbox/aws/http", "import sandbox.aws.services", IN_SANDBOX_AWS),
        ("sandbox/kubernetes/api/objects", "import sandbox.kubernetes.api.storage", IN_SANDBOX_API),
        ("delivery", "import prefect", PURE),
        ("delivery", "import subprocess", PURE),
        ("tasks", "import boto3", OUTSIDE),
        ("cli", "import httpx", OUTSIDE),
        ("tasks", "import sandbox", NO_SANDBOX),
        ("cli", "import demo", NO_SANDBOX),
        ("sandbox", "import delivery", NO_PRODUCT),
        ("sandbox", "import demo", NO_PRODUCT),
    ],
)
def test_a_violated_contract_is_reported_as_broken(tmp_path: Path, room: str, statement: str, contract: str) -> None:
    found = lint(tmp_path, room, statement)
    verdict = re.search(re.escape(contract) + ".*?(KEPT|BROKEN)", found.stdout, re.DOTALL)
    assert found.returncode == 1
    assert verdict is not None
    assert verdict[1] == "BROKEN"
