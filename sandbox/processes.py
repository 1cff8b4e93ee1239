"""What a part of the sandbox needs to be a well-behaved child process."""

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
    """Be killed when the parent process ends, however it ends, so that nothing of a sandbox outlives it. Linux only."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        raise SystemExit("the parent process had already ended")


def state_argument(description: str | None) -> Path:
    """The state folder of the command line `--state DIR`, which is all that a part is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--state", type=Path, required=True, help="the sandbox's state folder")
    return parser.parse_args().state.resolve()


def announce_ready() -> None:
    """Say in the part's log that it serves; the supervisor waits for this line."""
    print("ready", flush=True)


def become(command: Sequence[str]) -> NoReturn:
    """Turn this process into that program: the part is then the program itself, with nothing in between."""
    sys.stdout.flush()
    os.execvp(command[0], list(command))  # noqa: S606


def end_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that `with` and `finally` clean up."""
    signal.signal(signal.SIGTERM, _end)


def hear_ctrl_c() -> None:
    """Turn SIGINT into KeyboardInterrupt also where a shell started us in the background, with Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def kill(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the processes at once and wait until they are gone."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
