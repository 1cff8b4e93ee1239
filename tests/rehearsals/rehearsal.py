"""Releases to production on a sandbox as an operator does them: with the command line, Prefect and a worker."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.commands import end
from sandbox.environment import variables
from sandbox.images import push_image
from sandbox.instance import Sandbox
from sandbox.testing import eventually
from tasks.state.lock import read_lock
from tests.environments import production

SLIPWAY = Path(sys.executable).parent / "slipway"
OVERLAY = {
    "SLIPWAY_CANARY__PAUSE": "8s",
    "SLIPWAY_CANARY__PERIOD": "2s",
    # On a busy machine counts arrive late, and a verdict with them.
    "SLIPWAY_CANARY__CEILING": "6",
    "SLIPWAY_CANARY__LATENESS": "5s",
    "SLIPWAY_CANARY__WEIGHT_DEADLINE": "30s",
    "SLIPWAY_CANARY__READY_DEADLINE": "90s",
    "SLIPWAY_LOCK__LEASE": "10s",
    # A test decides when an orphaned canary is rolled back.
    "SLIPWAY_RECOVERY__ON_ORPHANED": "leave",
    "SLIPWAY_TOPICS__LAG": "10s",
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "COLUMNS": "1000",
}
LONGEST_RUN = 240.0


@dataclass(frozen=True)
class Ending:
    """How a command ended, and all that it printed."""

    exit_code: int
    output: str

    @property
    def sentence(self) -> str:
        """How it ended: the last line, from the name of the state on."""
        return self.output.rstrip().splitlines()[-1]


class Command:
    """A `slipway ...` command that runs."""

    def __init__(self, arguments: tuple[str, ...], environ: Mapping[str, str], folder: Path) -> None:
        """folder: its output is written there, beside the logs of the sandbox's parts."""
        self._log = Path(tempfile.mkstemp(suffix=".log", prefix=f"slipway-{arguments[0]}-", dir=folder)[1])
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([SLIPWAY, *arguments], env=environ, stdout=log, stderr=subprocess.STDOUT)

    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, pattern: str, seconds: float = LONGEST_RUN) -> None:
        """Wait until it has printed this. AssertionError if it ends before."""
        found = eventually(
            lambda: re.search(pattern, self.output()) or self._process.poll() is not None, seconds=seconds
        )
        assert found is not True, self.output()

    def wait(self) -> Ending:
        return Ending(self._process.wait(LONGEST_RUN), self.output())


class Rehearsal:
    """One sandbox with Prefect, a worker and a shell."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.environ = os.environ | variables(sandbox.state, sandbox.addresses, sandbox.settings) | OVERLAY

    def push(self, name: str, behaviour: str = "healthy") -> str:
        return push_image(self.sandbox.state, name, behaviour)

    def start(self, *arguments: str, **settings: str) -> Command:
        """settings: environment variables besides the shell's own."""
        return Command(arguments, self.environ | settings, self.sandbox.state / "logs")

    def slipway(self, *arguments: str, **settings: str) -> Ending:
        return self.start(*arguments, **settings).wait()

    def release(self, digest: str, *options: str) -> Ending:
        return self.slipway("release", "production", "--digest", digest, *options)

    def start_release(self, digest: str, *options: str) -> Command:
        return self.start("release", "production", "--digest", digest, *options)

    def install(self, **settings: str) -> None:
        """Install, and pause all schedules, so that every run is started by a test."""
        ended = self.slipway("install", **settings)
        assert ended.exit_code == 0, ended.output
        api = self.sandbox.addresses.prefect
        for name in ("verify", "recover"):
            found = httpx.get(f"{api}/deployments/name/{name}/production", trust_env=False).raise_for_status().json()
            for schedule in found["schedules"]:
                url = f"{api}/deployments/{found['id']}/schedules/{schedule['id']}"
                # A server whose database is busy answers 503 for a moment.
                eventually(lambda url=url: httpx.patch(url, json={"active": False}, trust_env=False).is_success)

    @contextmanager
    def installed_with(self, **settings: str) -> Iterator[None]:
        """Runs get these settings within the block, as an operator sets them: by another installation."""
        self.install(**settings)
        try:
            yield
        finally:
            self.install()

    @contextmanager
    def fault(self, **fault: Any) -> Iterator[None]:
        self.ask_faults("POST", fault)
        try:
            yield
        finally:
            self.ask_faults("DELETE")

    @contextmanager
    def counting(self, operation: str) -> Iterator[list[str]]:
        """The requests of this operation that arrive within the block, filled in at its end."""
        found: list[str] = []
        with self.fault(kind="slow", seconds=0, match=operation):
            yield found
            hits = self.ask_faults("GET")["hits"]
            found += [hit["at"] for hit in hits if hit["at"] == operation]

    def ask_faults(self, method: str, fault: Any = None) -> Any:
        """The answer of /sandbox/faults: the active faults and their hits so far."""
        url = f"{self.sandbox.addresses.aws}/sandbox/faults"
        return httpx.request(method, url, json=fault, trust_env=False).raise_for_status().json()

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Every process of a part is stopped within the block: its sockets stay open and get no answer."""
        pids = [self.sandbox.supervisor.pid(part), *children_of(self.sandbox.supervisor.pid(part))]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """The part is ended during the block and started again after it."""
        self.sandbox.supervisor.end(part)
        try:
            yield
        finally:
            self.sandbox.require(part)

    def status(self) -> dict[str, Any]:
        """The output of `slipway status --json`; releases newest first."""
        return json.loads(self.slipway("status", "--json").output)

    def last_release(self) -> dict[str, Any]:
        return self.status()["releases"][0]

    def judged(self) -> list[tuple[int, str]]:
        """Weight and verdict of each step that the last release analyzed."""
        journal = self.last_release()["journal"]
        return [
            (of["weight_percent"], of["verdict"]) for of in (r["detail"] for r in journal if r["event"] == "judged")
        ]

    def release_process(self) -> int:
        """The process that has the lock on production."""
        lock = read_lock(production(self.sandbox.state / "store"))
        found = re.search(r"process (\d+)", lock.holder.who) if lock else None
        assert found
        return int(found[1])


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def worker(rehearsal: Rehearsal) -> Iterator[None]:
    """`slipway worker`, for as long as the block."""
    log = rehearsal.sandbox.state / "logs" / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen([SLIPWAY, "worker"], env=rehearsal.environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        # A worker that was asked to end while its server is busy may wait for it for ever.
        end(process)
