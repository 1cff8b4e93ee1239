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
    """`python -m sandbox start` with two parts, as far as it says how to use it."""
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
    """The processes that write to a log of that sandbox, which all its parts do."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "fd" / "1").readlink().is_relative_to(state):
                found.append(int(folder.name))
    return found


def test_it_says_what_runs_where_and_which_file_to_source(command: subprocess.Popen[str], state: Path) -> None:
    said = "".join(lines_until_ready(command))
    assert "valkey  " in said
    assert f"source {state / 'env.sh'}\n" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_leaves_nothing_running(
    command: subprocess.Popen[str], state: Path, number: signal.Signals
) -> None:
    lines_until_ready(command)
    assert len(processes_of(state)) == 2
    command.send_signal(number)
    assert command.wait(timeout=PATIENCE) == 0
    assert processes_of(state) == []


def test_the_death_of_a_part_ends_it_with_that_parts_name(command: subprocess.Popen[str], state: Path) -> None:
    lines_until_ready(command)
    os.kill(processes_of(state)[0], signal.SIGKILL)
    _, errors = command.communicate(timeout=PATIENCE)
    assert command.returncode == 1
    assert "ended with exit code -9. The end of" in errors
    assert processes_of(state) == []


def test_even_killed_it_leaves_nothing_running(command: subprocess.Popen[str], state: Path) -> None:
    lines_until_ready(command)
    command.kill()
    eventually(lambda: processes_of(state) == [])


def test_a_command_that_is_not_there_is_answered_with_those_that_are() -> None:
    result = subprocess.run([sys.executable, "-m", "sandbox", "fly"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "usage: python -m sandbox COMMAND" in result.stderr
