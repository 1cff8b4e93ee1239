"""`slipway`: submits to Prefect what its deployments do, follows it, and says how it ended."""

import getpass
import os
import re
import socket
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from blocks.settings import CHECKOUT, load_environment, require_environment
from cli.running import submit
from cli.screen import Screen
from cli.simulate import simulate
from cli.status import show_status
from delivery.errors import DeliveryError
from delivery.outcome import INTERRUPTED, outcome_of
from delivery.release import DIGEST
from delivery.report import ASKED_FOR_BY
from deployments.install import install as install_all
from deployments.pool import POOL
from tasks.holds import request_stop

app = typer.Typer(
    help="Releases to an environment, and takes a failed release back. Runs go through Prefect (PREFECT_API_URL).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)

EnvironmentName = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Where to, as in environments/.")]
Digest = Annotated[str, typer.Option(help="Artifact digest of the image, sha256:...")]
Reason = Annotated[str, typer.Option(help="Why; shown to whoever waits for it.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON object; progress goes to standard error.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not follow the run.")]
PRODUCTION = "production"


@app.command()
def install() -> None:
    """Make the work pool, the deployments and the automation in Prefect; again, it brings them up to date."""
    screen = Screen()
    for sentence in install_all(CHECKOUT, os.environ):
        screen.say(sentence)


@app.command()
def plan(digest: Digest, environment: EnvironmentName = PRODUCTION, as_json: AsJson = False) -> None:
    """Show what a release would do, step by step; change nothing."""
    run("plan-release", environment, {"artifact_digest": digest_of(digest)}, as_json=as_json)


@app.command()
def release(
    digest: Digest,
    environment: EnvironmentName = PRODUCTION,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait for a release that is under way.")] = True,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Bring the environment to the artifact; a release that fails is taken back."""
    request = {"artifact_digest": digest_of(digest), "reason": reason or f"{ASKED_FOR_BY} {who()}", "wait": wait}
    run(f"deploy-{environment}", environment, request, as_json=as_json, detach=detach)


@app.command()
def roll_back(
    environment: EnvironmentName = PRODUCTION,
    revision: Annotated[int | None, typer.Option(help="Where to; without it the run lists them all.")] = None,
    unjudged: Annotated[bool, typer.Option("--unjudged", help="Even if no journal tells that it served.")] = False,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait for a release under way; `slipway stop` ends it sooner.")] = False,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Bring back an earlier revision of the application, one that served all traffic before."""
    request = {"revision": revision, "unjudged": unjudged, "wait": wait}
    request["reason"] = reason or f"{ASKED_FOR_BY} {who()}"
    run("roll-back", environment, request, as_json=as_json, detach=detach)


@app.command()
def verify(environment: EnvironmentName = PRODUCTION, as_json: AsJson = False) -> None:
    """Check that the environment looks and answers as planned; change nothing."""
    run("verify", environment, {}, as_json=as_json)


@app.command()
def status(
    environment: EnvironmentName = PRODUCTION,
    count: Annotated[int, typer.Option(min=1, help="How many releases to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what serves, what one can go back to, who holds the environment, and how the last releases ended."""
    show_status(environment, count=count, as_json=as_json)


@app.command()
def stop(reason: Reason, environment: EnvironmentName = PRODUCTION) -> None:
    """Ask the release under way to stop at its next safe point."""
    hold = request_stop(load_environment(environment), who(), reason)
    waiting = "One that waits for a person stops when it is answered or nobody did in time."
    Screen().say(f"Asked to stop: {hold.describe()}. It stops before its next step. {waiting}")


app.command()(simulate)


@app.command()
def worker() -> None:
    """Run what is submitted, until Ctrl-C: a Prefect worker for the work pool."""
    os.chdir(CHECKOUT)
    # An operator waits for the worker's next look; Prefect's own pause is ten seconds.
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", "2")
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", POOL]
    os.execv(sys.executable, command)  # noqa: S606


def run(flow: str, environment: str, request: dict[str, Any], *, as_json: bool, detach: bool = False) -> None:
    require_environment(environment)
    parameters = request | {"environment": environment}
    code = submit(f"{flow}/{environment}", parameters, environment=environment, as_json=as_json, detach=detach)
    raise typer.Exit(code)


def digest_of(text: str) -> str:
    if not re.fullmatch(DIGEST, text):
        raise typer.BadParameter("an artifact digest is sha256: and 64 hexadecimal digits", param_hint="--digest")
    return text


def who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Ends by SystemExit with the exit code. arguments: those of the process unless told."""
    try:
        app(arguments)
    except DeliveryError as error:
        Screen(for_program=True).show_error(str(error))
        sys.exit(outcome_of(error).exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
