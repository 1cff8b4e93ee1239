"""`slipway`: submits runs to Prefect, follows them, and reports how they ended."""

import getpass
import os
import re
import socket
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, NoReturn

import typer

from blocks.settings import CHECKOUT, require_environment
from cli.answers import answer
from cli.running import Request, submit
from cli.screen import Screen
from cli.simulate import simulate
from cli.status import show_status
from cli.stopping import stop_release
from delivery.errors import DeliveryError
from delivery.outcome import INTERRUPTED, outcome_of
from delivery.release import DIGEST
from delivery.report import ASKED_FOR_BY
from deployments.install import install as install_all
from deployments.pool import POOL
from tasks.checks import checks_key
from tasks.planning import plan_data_key

app = typer.Typer(
    help="Release to an environment, and roll back. Prefect (PREFECT_API_URL) executes the runs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)

EnvironmentName = Annotated[
    str, typer.Argument(metavar="ENVIRONMENT", help="Name of a file in environments/, without .toml.")
]
Digest = Annotated[str, typer.Option(help="Artifact digest of the image, sha256:...")]
Reason = Annotated[str, typer.Option(help="Reason; shown to everyone who waits for the lock.")]
StopReason = Annotated[str, typer.Option("--reason", help="Reason; the stopped release reports it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object; progress goes to standard error.")]
AsNew = Annotated[bool, typer.Option("--canary", help="Run a canary for a digest in the rollback window.")]
Detach = Annotated[bool, typer.Option("--detach", help="Submit the run and do not follow it.")]
Within = Annotated[
    int | None,
    typer.Option("--queue-timeout", min=1, help="Cancel the run if no worker starts it within this many seconds."),
]
PRODUCTION = "production"


@app.command()
def install(as_json: AsJson = False) -> None:
    """Set up Prefect for releases, or update it.

    Creates the work pool, the Prefect deployments with their schedules, and the automations, and reports each of them.
    """
    screen, sentences = Screen(for_program=as_json), []
    for sentence in install_all(CHECKOUT, os.environ):
        screen.say(sentence)
        sentences.append(sentence)
    if as_json:
        answer(0, " ".join(sentences))


@app.command()
def plan(
    digest: Digest,
    environment: EnvironmentName = PRODUCTION,
    canary: AsNew = False,
    within: Within = None,
    as_json: AsJson = False,
) -> None:
    """Show what a release would do, step by step; deploy nothing.

    It creates temporary change sets (slipway-plan-...), and deletes those of dead processes after one hour.
    """
    artifacts = {"plan": plan_data_key(environment)}
    request = {"artifact_digest": digest_of(digest), "canary": canary}
    run("plan-release", environment, request, artifacts, within=within, as_json=as_json)


@app.command()
def release(
    digest: Digest,
    environment: EnvironmentName = PRODUCTION,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait for a release that is in progress.")] = True,
    canary: AsNew = False,
    within: Within = None,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Release an artifact digest.

    If the release fails after it changed the Rollout, it rolls the Rollout back. A failed check does not roll it back.
    """
    request = {"artifact_digest": digest_of(digest), "wait": wait, "canary": canary}
    request["reason"] = reason or f"{ASKED_FOR_BY} {user_name()}"
    artifacts = {"plan": plan_data_key(environment)}
    run(f"deploy-{environment}", environment, request, artifacts, within=within, as_json=as_json, detach=detach)


@app.command()
def rollback(
    environment: EnvironmentName = PRODUCTION,
    revision: Annotated[
        int | None, typer.Option(help="Its number; without it, the run lists the revisions to choose from.")
    ] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Also accept a revision that appears in no journal.")
    ] = False,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait for a release in progress; `slipway stop` ends it sooner.")] = False,
    within: Within = None,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Roll back to an earlier revision that served all traffic."""
    request = {"revision": revision, "unverified": unverified, "wait": wait}
    request["reason"] = reason or f"{ASKED_FOR_BY} {user_name()}"
    run("rollback", environment, request, {}, within=within, as_json=as_json, detach=detach)


@app.command()
def recover(
    environment: EnvironmentName = PRODUCTION,
    reason: Reason = "",
    within: Within = None,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Roll back the canary of a release whose process died.

    An automation and a schedule also start it. If there is no such canary, nothing changes.
    """
    request = {"reason": reason or f"{ASKED_FOR_BY} {user_name()}"}
    run("recover", environment, request, {}, within=within, as_json=as_json, detach=detach)


@app.command()
def verify(environment: EnvironmentName = PRODUCTION, within: Within = None, as_json: AsJson = False) -> None:
    """Check that the environment is as specified; change nothing."""
    run("verify", environment, {}, {"checks": checks_key(environment)}, within=within, as_json=as_json)


@app.command()
def status(
    environment: EnvironmentName = PRODUCTION,
    count: Annotated[int, typer.Option(min=1, help="How many releases to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what serves traffic, the lock, and the last releases.

    Also the revisions to roll back to, and the newest release's page in the Prefect UI.
    """
    show_status(environment, count=count, as_json=as_json)


@app.command()
def stop(reason: StopReason, environment: EnvironmentName = PRODUCTION, as_json: AsJson = False) -> None:
    """Ask the release in progress, or the runs that wait, to stop.

    A release that has the lock stops before its next step. If no release has the lock, the releases and rollbacks that
    plan or wait end before any change.
    """
    require_environment(environment)
    stop_release(environment, user_name(), reason, as_json=as_json)


app.command()(simulate)


@app.command()
def worker() -> None:
    """Execute submitted runs until Ctrl-C.

    This is a Prefect worker for the work pool that `slipway install` creates.
    """
    os.chdir(CHECKOUT)
    # An operator waits until the worker polls again; Prefect's default is ten seconds.
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", "2")
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", POOL]
    os.execv(sys.executable, command)  # noqa: S606


def run(
    flow: str,
    environment_name: str,
    parameters: dict[str, Any],
    artifacts: dict[str, str],
    *,
    within: int | None,
    as_json: bool,
    detach: bool = False,
) -> None:
    """Submit a run and follow it. parameters: besides the environment. artifacts: as in Request."""
    require_environment(environment_name)
    request = Request(
        deployment=f"{flow}/{environment_name}",
        environment_name=environment_name,
        parameters=parameters | {"environment": environment_name},
        artifacts=artifacts,
        queue_timeout=timedelta(seconds=within) if within else None,
    )
    raise typer.Exit(submit(request, as_json=as_json, detach=detach))


def digest_of(text: str) -> str:
    if not re.fullmatch(DIGEST, text):
        raise typer.BadParameter("an artifact digest is sha256: and 64 hexadecimal digits", param_hint="--digest")
    return text


def user_name() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit with the command's exit code. arguments: by default those of the process.

    With --json there is one document on standard output, however the command ends.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in given
    try:
        # typer reports wrong usage, unless a program reads the answer.
        sys.exit(app(given, standalone_mode=not as_json) or 0)
    except typer.TyperException as error:
        fail(error.exit_code, error.format_message(), as_json=as_json)
    except DeliveryError as error:
        outcome = outcome_of(error)
        fail(outcome.exit_code, str(error), outcome.state_name, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def fail(exit_code: int, sentence: str, state: str | None = None, *, as_json: bool) -> NoReturn:
    """state: the name of the state that a run ends in with this error."""
    Screen(for_program=True).show_error(sentence)
    if as_json:
        answer(exit_code, sentence, run=None, state=state)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
