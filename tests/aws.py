"""The sandbox's AWS for contract tests: a process of its own, spoken to by real clients."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from sandbox.addresses import Addresses, allot_addresses
from sandbox.environment import parts_environment, variables
from sandbox.settings import SandboxSettings


@dataclass(frozen=True)
class SandboxAws:
    """variables: what points AWS' clients at it."""

    endpoint: str
    variables: Mapping[str, str]

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.session.Session(**keys).client(service, endpoint_url=self.endpoint)  # pyright: ignore

    def fault(self, **fault: Any) -> None:
        """Add a fault, by the fields of the sandbox's faults."""
        httpx.post(f"{self.endpoint}/sandbox/faults", json=fault).raise_for_status()

    def hits(self) -> list[dict[str, str]]:
        return httpx.get(f"{self.endpoint}/sandbox/faults").json()["hits"]

    def clear_faults(self) -> None:
        httpx.delete(f"{self.endpoint}/sandbox/faults").raise_for_status()


@contextmanager
def run_sandbox_aws(state: Path) -> Iterator[SandboxAws]:
    """A sandbox's AWS alone, whose resources are made in no time."""
    addresses, settings = allot_addresses("127.99"), SandboxSettings(time_factor=1000.0)
    addresses.write(state)
    settings.write(state)
    command = [sys.executable, "-m", "sandbox.aws", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=parts_environment()) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield SandboxAws(addresses.aws, _aws_variables(state, addresses, settings))
        finally:
            process.terminate()


def _aws_variables(state: Path, addresses: Addresses, settings: SandboxSettings) -> dict[str, str]:
    everything = variables(state, addresses, settings)
    return {name: value for name, value in everything.items() if name.startswith("AWS_") or name.lower() == "no_proxy"}
