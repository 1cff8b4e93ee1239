"""What tests of tasks share: the sandbox's AWS, and a project of its own for each test."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from sandbox.environment import variables
from sandbox.instance import Sandbox
from tests.assemblies import Project, make_project
from tests.aws import SandboxAws
from tests.shop import Shop, make_shop


@pytest.fixture
def aws(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxAws]:
    """The clients of this test speak to the sandbox's AWS; its faults end with the test."""
    sandbox.require("aws")
    for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    running = SandboxAws(sandbox.addresses.aws)
    with disable_run_logger():
        yield running
    running.clear_faults()


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """An application of the test's own, in a cluster behind a load balancer."""
    sandbox.require("aws", "kubernetes", "load_balancer_controller", "load_balancer")
    for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
        if name.startswith("AWS_") or name.lower() == "no_proxy":
            monkeypatch.setenv(name, value)
    with disable_run_logger():
        shop = make_shop(sandbox, tmp_path)
        yield shop
        shop.remove()


@pytest.fixture
def project(aws: SandboxAws, tmp_path: Path) -> Project:
    return make_project(f"t{uuid.uuid4().hex[:8]}", tmp_path)
