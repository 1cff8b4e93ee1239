"""Starts the parts of a sandbox in order, detects a part that ended, and stops all parts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from sandbox.addresses import Addresses
from sandbox.parts import Part

SECONDS_TO_START = 180.0
SECONDS_TO_STOP = 3.0
SECONDS_BETWEEN_CHECKS = 0.05


class PartFailed(RuntimeError):
    """A part ended or did not become ready. The message names it and contains the end of its log."""


class Supervisor:
    """Runs the processes of one sandbox. Each part has a log in `<state>/logs`."""

    def __init__(self, state: Path, environment: Mapping[str, str]) -> None:
        self._state = state
        self._environment = dict(environment)
        self._parts: list[Part] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ready: set[str] = set()

    def start(self, parts: Iterable[Part], report: Callable[[str], object] = str) -> None:
        """Start each part when the parts that it needs are ready, and return when all are ready.

        Parts that already run are not started again. A needed part that is not in `parts` is ignored.
        `report` is called with the name of each part that becomes ready.
        PartFailed if a part ends or is not ready in time. The other parts then run until `stop`.
        """
        self._parts += [part for part in parts if part not in self._parts]
        deadline = time.monotonic() + SECONDS_TO_START
        while len(self._ready) < len(self._parts):
            self._start_possible()
            self.refuse_dead()
            for part in self._newly_ready():
                self._ready.add(part.name)
                report(part.name)
            self._refuse_late(deadline)
            time.sleep(SECONDS_BETWEEN_CHECKS)

    def refuse_dead(self) -> None:
        """PartFailed if a part that was started has ended."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise PartFailed(f"{name} ended with exit code {process.returncode}. {self._last_lines(name)}")

    def running(self) -> list[str]:
        """The names of the running parts, in the order in which they were started."""
        return list(self._processes)

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def log(self, name: str) -> Path:
        return self._state / "logs" / f"{name}.log"

    def end(self, name: str) -> None:
        """Stop a part, and kill what is left in its process group. The part can be started again."""
        part = next(part for part in self._parts if part.name == name)
        process = self._processes.pop(name)
        process.send_signal(part.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_STOP)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._parts.remove(part)
        self._ready.discard(name)

    def stop(self) -> None:
        """Stop all parts in the reverse order of their start."""
        for name in reversed(self.running()):
            self.end(name)
        self._parts.clear()

    def _start_possible(self) -> None:
        chosen = {part.name for part in self._parts}
        for part in self._parts:
            if part.name not in self._processes and set(part.needs) & chosen <= self._ready:
                self._processes[part.name] = self._spawn(part)

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        # In its own session, so that only the supervisor gets Ctrl-C and then stops the parts in order.
        with self.log(part.name).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", part.module, "--state", str(self._state)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _newly_ready(self) -> list[Part]:
        addresses = Addresses.read(self._state)
        waiting = [part for part in self._parts if part.name in self._processes and part.name not in self._ready]
        return [part for part in waiting if part.is_ready(addresses, self.log(part.name))]

    def _refuse_late(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            late = next(part.name for part in self._parts if part.name not in self._ready)
            raise PartFailed(f"{late} was not ready within {SECONDS_TO_START:.0f} s. {self._last_lines(late)}")

    def _last_lines(self, name: str) -> str:
        log = self.log(name)
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        return f"The end of {log}:\n" + "\n".join(f"  {line}" for line in lines)
