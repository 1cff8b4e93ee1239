"""What tests of tasks share: the sandbox's AWS, and a project of its own for each test."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from tests.assemblies import Project, make_project
from tests.aws import SandboxAws, run_sandbox_aws


@pytest.fixture(scope="session")
def running_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxAws]:
    with run_sandbox_aws(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def aws(running_aws: SandboxAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxAws]:
    """The clients of this test speak to the sandbox's AWS; its faults end with the test."""
    for name, value in running_aws.variables.items():
        monkeypatch.setenv(name, value)
    with disable_run_logger():
        yield running_aws
    running_aws.clear_faults()


@pytest.fixture
def project(aws: SandboxAws, tmp_path: Path) -> Project:
    return make_project(f"t{uuid.uuid4().hex[:8]}", tmp_path)
