"""Helpers for the child processes of a sandbox: arguments, readiness and signals."""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends for any reason, so that no process is left. Linux only."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        raise SystemExit("The parent process has already ended.")


def state_argument(description: str | None) -> Path:
    """The state folder from the command line, `--state DIR`. A part has no other arguments."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--state", type=Path, required=True, help="the state folder of the sandbox")
    return parser.parse_args().state.resolve()


def announce_ready() -> None:
    """Write the line to the log that the supervisor waits for."""
    print("ready", flush=True)


def become(command: Sequence[str]) -> NoReturn:
    """Replace this process with the program, so that no process is between the supervisor and the program."""
    sys.stdout.flush()
    os.execvp(command[0], list(command))  # noqa: S606


def end_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that `with` and `finally` clean up."""
    signal.signal(signal.SIGTERM, _end)


def hear_ctrl_c() -> None:
    """Turn SIGINT into KeyboardInterrupt, also if a shell ignored SIGINT for a process in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def kill(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill the processes and wait until they have ended."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
