"""`python -m demo releases`: four releases to production, through Prefect, on a new sandbox."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from demo.commands import Commands, DemoFailed
from demo.differences import describe_differences
from demo.evidence import (
    Release,
    describe_failure,
    describe_steps,
    describe_weight_sources,
    missing_evidence,
    read_releases,
)
from demo.hints import describe_further_release
from sandbox.environment import variables
from sandbox.images import push_image
from sandbox.instance import Sandbox
from sandbox.processes import end_on_sigterm, hear_ctrl_c
from sandbox.start import describe
from sandbox.supervisor import PartFailed

ROLLED_BACK = 5
INTERRUPTED = 130


@dataclass(frozen=True)
class Act:
    """One release of the demo. exit_code: the expected exit code of the command."""

    image: str
    title: str
    exit_code: int = 0


BEHAVIOURS = {"A": "healthy", "B": "healthy", "C": "errors"}
ACTS = (
    Act("A", "the first installation; no canary, because there is no stable revision to compare with"),
    Act("B", "a healthy release: a canary at 20, 40, 60 and 80 %, then promoted"),
    Act("C", "three in ten of its requests fail: its canary is aborted and the release is rolled back", ROLLED_BACK),
    Act("B", "already serves all traffic; there is nothing to do"),
)


def main(arguments: Sequence[str]) -> int:
    """0 only if each release ended as expected, and each step of B's canary passed with requests to both revisions."""
    options = parse(arguments)
    end_on_sigterm()
    hear_ctrl_c()
    exit_code = INTERRUPTED
    try:
        with Sandbox(report=lambda name: say(f"  {name} is ready")) as sandbox:
            say(f"{describe(sandbox)}\n")
            commands = Commands(sandbox, os.environ | variables(sandbox.state, sandbox.addresses, sandbox.settings))
            commands.run("slipway", "install")
            with commands.worker():
                play(commands)
                exit_code = 0
                if options.stay:
                    say(describe_further_release(sandbox))
                    commands.stay()
            say("\nThe sandbox and the Prefect UI stop now. To keep them and the worker running: make open.")
    except (PartFailed, DemoFailed) as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    except (KeyboardInterrupt, SystemExit):
        say("\nEverything was stopped.")
    return exit_code


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo releases", description=__doc__)
    parser.add_argument(
        "--stay", action="store_true", help="keep the sandbox, the worker and the Prefect UI running until Ctrl-C"
    )
    return parser.parse_args(arguments)


def play(commands: Commands) -> None:
    """Run the four releases, one after another, then show what they did."""
    digests = {name: push_image(commands.sandbox.state, name, behaviour) for name, behaviour in BEHAVIOURS.items()}
    began = time.monotonic()
    say("\nThe times on the left are minutes and seconds since the start of the release's run.")
    for number, act in enumerate(ACTS, 1):
        say(f"\n=== {number} of {len(ACTS)}  {act.image}: {act.title}")
        release(act, digests[act.image], commands)
    say(f"\nThe four releases took {time.monotonic() - began:.0f} s.")
    sum_up(commands.sandbox, digests, read_releases(commands.variables))


def sum_up(sandbox: Sandbox, digests: dict[str, str], releases: list[Release]) -> None:
    """Show what the releases did. Raises DemoFailed if a step of B's canary did not pass."""
    names = {digest: name for name, digest in digests.items()}
    say(f"\n=== Analysis of each canary step\n{describe_steps(releases, names)}\n{describe_weight_sources(releases)}")
    say(f"\n=== Rollback of C\n{describe_failure(releases, digests['C'])}")
    differences = describe_differences(sandbox.state, sandbox.settings)
    say(f"\n=== Differences from production (production -> sandbox)\n{differences}")
    if missing := missing_evidence(releases, digests["B"]):
        raise DemoFailed(missing)


def release(act: Act, digest: str, commands: Commands) -> None:
    exit_code = commands.run("slipway", "release", "production", "--digest", digest)
    said = ": the release was rolled back" if exit_code == ROLLED_BACK else ""
    say(f"--- {act.image}: exit code {exit_code}{said}")
    if exit_code != act.exit_code:
        said = f"The release of {act.image} ended with exit code {exit_code}, not {act.exit_code}."
        raise DemoFailed(
            f"{said} The logs of its worker and of the sandbox's parts are in {commands.worker_log.parent}."
        )


def say(text: str) -> None:
    print(text, flush=True)
