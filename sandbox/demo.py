"""`python -m sandbox demo`: four releases to production, through Prefect, on a sandbox of their own."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.demo_evidence import (
    Release,
    describe_differences,
    describe_failure,
    describe_steps,
    missing_evidence,
    read_releases,
)
from sandbox.environment import variables
from sandbox.images import push_image
from sandbox.instance import Sandbox
from sandbox.processes import end_on_sigterm
from sandbox.start import describe, watch
from sandbox.supervisor import PartFailed

ROLLED_BACK = 5
INTERRUPTED = 130
BINARIES = Path(sys.executable).parent


@dataclass(frozen=True)
class Act:
    """One release of the demo. exit_code: with which the command has to end for the demo to go on."""

    image: str
    title: str
    exit_code: int = 0


BEHAVIOURS = {"A": "healthy", "B": "healthy", "C": "errors"}
ACTS = (
    Act("A", "the first installation, of everything; no canary, for there is nothing to compare with"),
    Act("B", "a healthy successor: a canary at 20, 40, 60 and 80 %, promoted on evidence"),
    Act("C", "its requests fail, three in ten: stopped in a step of its canary, and taken back", ROLLED_BACK),
    Act("B", "it serves already: nothing to do"),
)


class DemoFailed(RuntimeError):
    """A release did not end as it has to; the message says which and how."""


def main(arguments: Sequence[str]) -> int:
    """0 only when every release ended as it has to and each step of B's canary passed on requests of both arms."""
    parser = argparse.ArgumentParser(prog="python -m sandbox demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="leave everything running, with Prefect's UI, until Ctrl-C")
    options = parser.parse_args(arguments)
    end_on_sigterm()
    exit_code = INTERRUPTED
    try:
        with Sandbox(report=lambda name: say(f"  {name} serves")) as sandbox:
            print(describe(sandbox), flush=True)
            play(sandbox)
            exit_code = 0
            if options.stay:
                say(f"Prefect's UI: {ui(sandbox)}  (Ctrl-C ends it all)")
                watch(sandbox)
    except (PartFailed, DemoFailed) as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    except (KeyboardInterrupt, SystemExit) as end:
        say(f"stopped {end}")
    return exit_code


def play(sandbox: Sandbox) -> None:
    """The four releases, one after another, then what they showed."""
    digests = {name: push_image(sandbox.state, name, behaviour) for name, behaviour in BEHAVIOURS.items()}
    environment = os.environ | variables(sandbox.state, sandbox.addresses, sandbox.settings)
    began = time.monotonic()
    run(["slipway", "install"], environment)
    with worker(sandbox.state, environment):
        for number, act in enumerate(ACTS, 1):
            say(f"\n=== {number} of {len(ACTS)}  {act.image}: {act.title}")
            release(act, digests[act.image], environment, sandbox.state)
    sum_up(sandbox, digests, read_releases(environment), time.monotonic() - began)


def sum_up(sandbox: Sandbox, digests: dict[str, str], releases: list[Release], seconds: float) -> None:
    """What the releases showed. Raises DemoFailed where that is not what they have to show."""
    names = {digest: name for name, digest in digests.items()}
    say(f"\n=== What the canaries were judged on\n{describe_steps(releases, names)}")
    say(f"\n=== How C was taken back\n{describe_failure(releases, digests['C'])}")
    say(f"\n=== What differs from production\n{describe_differences(sandbox.settings)}")
    say(f"\nFour releases in {seconds:.0f} s. Each of their runs is in Prefect's UI at {ui(sandbox)}/runs as long as")
    say("this sandbox runs; make open keeps it running.")
    if missing := missing_evidence(releases, digests["B"]):
        raise DemoFailed(missing)


def release(act: Act, digest: str, environment: dict[str, str], state: Path) -> None:
    began = time.monotonic()
    exit_code = run(["slipway", "release", "production", "--digest", digest], environment)
    say(f"--- {act.image}: exit code {exit_code} after {time.monotonic() - began:.0f} s")
    if exit_code != act.exit_code:
        said = f"The release of {act.image} ended with exit code {exit_code}, not {act.exit_code}."
        raise DemoFailed(f"{said} The logs of its worker and of the sandbox's parts are in {state / 'logs'}.")


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """The exit code of a command whose output goes to the terminal."""
    say(f"$ {' '.join(command)}")
    return subprocess.run([str(BINARIES / command[0]), *command[1:]], env=environment, check=False).returncode


@contextmanager
def worker(state: Path, environment: dict[str, str]) -> Iterator[None]:
    """`slipway worker`, with its log beside those of the sandbox's parts."""
    command = [str(BINARIES / "slipway"), "worker"]
    with (state / "logs" / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def ui(sandbox: Sandbox) -> str:
    return sandbox.addresses.prefect.removesuffix("/api")


def say(text: str) -> None:
    print(text, flush=True)
