"""The demo's commands: run as an operator runs them, and terminated if they take too long."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from sandbox.instance import Sandbox

BINARIES = Path(sys.executable).parent
# A release takes about a minute, and three on a busy machine.
SECONDS_FOR_A_COMMAND = 900.0
SECONDS_TO_STOP = 30.0
POLL_SECONDS = 1.0
LINES_SHOWN = 15


class DemoFailed(RuntimeError):
    """A command did not end as expected. The message names the command, how it ended, and the folder of its logs."""


@dataclass
class Commands:
    """Commands against one sandbox. variables: their environment. seconds: how long each of them may take."""

    sandbox: Sandbox
    variables: Mapping[str, str]
    seconds: float = SECONDS_FOR_A_COMMAND
    _worker: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def worker_log(self) -> Path:
        return self.sandbox.state / "logs" / "worker.log"

    def run(self, *command: str) -> int:
        """The exit code of a command, whose output goes to the terminal.

        Raises DemoFailed if it takes too long or the worker has ended, PartFailed if a part of the sandbox has ended.
        """
        print(f"$ {' '.join(command)}", flush=True)
        process = subprocess.Popen([str(BINARIES / command[0]), *command[1:]], env=dict(self.variables))
        deadline = time.monotonic() + self.seconds
        try:
            while (exit_code := wait_a_moment(process)) is None:
                self.refuse_dead()
                if time.monotonic() > deadline:
                    self._fail(f"{' '.join(command)} did not end within {self.seconds:.0f} s.")
        finally:
            end(process)
        return exit_code

    @contextmanager
    def worker(self) -> Iterator[None]:
        """`slipway worker`, with its log beside those of the sandbox's parts."""
        print(f"$ slipway worker      # started by the demo in the background; its log: {self.worker_log}", flush=True)
        command = [str(BINARIES / "slipway"), "worker"]
        with self.worker_log.open("wb") as log:
            self._worker = subprocess.Popen(command, env=dict(self.variables), stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            end(self._worker)
            self._worker = None

    def stay(self) -> NoReturn:
        """Wait until the process is asked to end. Raises as `run` does."""
        while True:
            self.refuse_dead()
            time.sleep(POLL_SECONDS)

    def refuse_dead(self) -> None:
        self.sandbox.supervisor.refuse_dead()
        if self._worker is not None and self._worker.poll() is not None:
            self._fail(f"slipway worker ended with exit code {self._worker.returncode}.")

    def _fail(self, what: str) -> NoReturn:
        log = self.worker_log
        lines = log.read_text(errors="replace").splitlines()[-LINES_SHOWN:] if log.exists() else []
        said = "".join(f"\n  {line}" for line in lines)
        raise DemoFailed(f"{what} The logs of the worker and of the sandbox's parts are in {log.parent}.{said}")


def wait_a_moment(process: subprocess.Popen[bytes]) -> int | None:
    """The exit code; None while the process runs."""
    try:
        return process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def end(process: subprocess.Popen[bytes]) -> None:
    """Terminate the process, and kill it if that does not end it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
