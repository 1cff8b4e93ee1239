"""Starts the parts of a sandbox in their order, notices when one dies, and ends them all."""

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
SECONDS_BETWEEN_LOOKS = 0.05


class PartFailed(RuntimeError):
    """A part of the sandbox died or did not come up; the message names it and holds the end of its log."""


class Supervisor:
    """Keeps the processes of one sandbox, one log each in `<state>/logs`."""

    def __init__(self, state: Path, environment: Mapping[str, str]) -> None:
        self._state = state
        self._environment = dict(environment)
        self._parts: list[Part] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ready: set[str] = set()

    def start(self, parts: Iterable[Part], report: Callable[[str], object] = str) -> None:
        """Start each part as soon as those it needs serve; back when all serve. `report` gets the name of each.

        A part that runs already is left alone, and one that is needed but not asked for is not waited for.
        PartFailed when one dies or is late; the others go on until `stop`.
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
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def refuse_dead(self) -> None:
        """PartFailed when a part that was started has ended."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise PartFailed(f"{name} ended with exit code {process.returncode}. {self._last_lines(name)}")

    def running(self) -> list[str]:
        """The names of the parts, in the order they were started."""
        return list(self._processes)

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def log(self, name: str) -> Path:
        return self._state / "logs" / f"{name}.log"

    def end(self, name: str) -> None:
        """End one part in order, and whatever it left behind in its process group; it can be started again."""
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
        """End all parts, the last one started first."""
        for name in reversed(self.running()):
            self.end(name)
        self._parts.clear()

    def _start_possible(self) -> None:
        chosen = {part.name for part in self._parts}
        for part in self._parts:
            if part.name not in self._processes and set(part.needs) & chosen <= self._ready:
                self._processes[part.name] = self._spawn(part)

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        # A session of its own, so that Ctrl-C reaches the supervisor alone, which then ends the parts in order.
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
            raise PartFailed(f"{late} did not serve within {SECONDS_TO_START:.0f} s. {self._last_lines(late)}")

    def _last_lines(self, name: str) -> str:
        log = self.log(name)
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        return f"The end of {log}:\n" + "\n".join(f"  {line}" for line in lines)
