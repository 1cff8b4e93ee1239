import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from demo.commands import Commands, DemoFailed
from sandbox.instance import Sandbox
from sandbox.supervisor import PartFailed


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    """Commands against a sandbox of which only the cache runs; a worker with the poll interval "often" ends at once."""
    with Sandbox(tmp_path / "state", parts=["valkey"]) as sandbox:
        yield Commands(sandbox, os.environ | {"PREFECT_WORKER_QUERY_SECONDS": "often"}, seconds=1.0)


def test_a_command_ends_with_its_exit_code(commands: Commands) -> None:
    commands.seconds = 60
    assert commands.run("python", "-c", "raise SystemExit(5)") == 5


def test_a_command_that_takes_too_long_is_ended_and_the_logs_are_named(commands: Commands) -> None:
    logs = re.escape(str(commands.sandbox.state / "logs"))
    with pytest.raises(DemoFailed, match=rf"did not end within 1 s\. The logs .* are in {logs}\."):
        commands.run("python", "-c", "import signal; signal.pause()")


def test_a_command_does_not_wait_for_a_worker_that_has_ended(commands: Commands) -> None:
    commands.seconds = 120
    with commands.worker(), pytest.raises(DemoFailed, match=r"slipway worker ended with exit code [1-9]"):
        commands.run("python", "-c", "import signal; signal.pause()")


def test_a_command_does_not_wait_for_a_part_that_has_ended(commands: Commands) -> None:
    commands.seconds = 120
    host, _, port = commands.sandbox.addresses.valkey.rpartition(":")
    Redis(host=host, port=int(port)).shutdown(nosave=True)
    with pytest.raises(PartFailed, match="valkey ended"):
        commands.run("python", "-c", "import signal; signal.pause()")
