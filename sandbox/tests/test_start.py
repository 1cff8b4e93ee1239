import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.testing import PATIENCE, eventually


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def command(state: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m sandbox start` with two parts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "start", "--state", str(state), "--parts", "valkey", "nginx"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def lines_until_ready(command: subprocess.Popen[str]) -> list[str]:
    assert command.stdout is not None
    lines: list[str] = []
    while not lines or not lines[-1].startswith("source "):
        lines.append(command.stdout.readline())
        assert lines[-1], lines
    return lines


def processes_of(state: Path) -> list[int]:
    """The processes whose standard output is a log of the sandbox, which is true for all parts."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "fd" / "1").readlink().is_relative_to(state):
                found.append(int(folder.name))
    return found


def test_it_prints_the_addresses_and_the_file_to_source(command: subprocess.Popen[str], state: Path) -> None:
    printed = "".join(lines_until_ready(command))
    assert "valkey  " in printed
    assert f"source {state / 'env.sh'}\n" in printed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_parts(command: subprocess.Popen[str], state: Path, number: signal.Signals) -> None:
    lines_until_ready(command)
    assert len(processes_of(state)) == 2
    command.send_signal(number)
    assert command.wait(timeout=PATIENCE) == 0
    assert processes_of(state) == []


def test_it_ends_with_the_name_of_a_part_that_ended(command: subprocess.Popen[str], state: Path) -> None:
    lines_until_ready(command)
    os.kill(processes_of(state)[0], signal.SIGKILL)
    _, errors = command.communicate(timeout=PATIENCE)
    assert command.returncode == 1
    assert "ended with exit code -9. The end of" in errors
    assert processes_of(state) == []


def test_no_part_survives_if_it_is_killed(command: subprocess.Popen[str], state: Path) -> None:
    lines_until_ready(command)
    command.kill()
    eventually(lambda: processes_of(state) == [])


def test_an_unknown_command_prints_the_commands() -> None:
    result = subprocess.run([sys.executable, "-m", "sandbox", "fly"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "usage: python -m sandbox COMMAND" in result.stderr
