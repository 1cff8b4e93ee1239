"""`slipway`: submits to Prefect what its deployments do, follows it, and says how it ended."""

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
    help="Release to an environment; what fails is taken back. Runs go through Prefect (PREFECT_API_URL).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)

EnvironmentName = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Which one, by its file in environments/.")]
Digest = Annotated[str, typer.Option(help="Artifact digest of the image, sha256:...")]
Reason = Annotated[str, typer.Option(help="Why; shown to whoever waits for it.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON object; progress goes to standard error.")]
AsNew = Annotated[bool, typer.Option("--canary", help="Judge a digest that served before like a new one.")]
Detach = Annotated[bool, typer.Option("--detach", help="Do not follow the run.")]
Within = Annotated[
    int | None,
    typer.Option("--queue-timeout", min=1, help="Cancel a run that no worker has taken after so many seconds."),
]
PRODUCTION = "production"


@app.command()
def install(as_json: AsJson = False) -> None:
    """Set Prefect up for releases, or bring it up to date.

    It makes the work pool, the deployments with their schedule, and the automations, and says each.
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
    """Show what a release would do, step by step, and do none of it.

    All that it deletes are change sets of plans and releases that died, left at the stacks for an hour.
    """
    leaves = {"plan": plan_data_key(environment)}
    request = {"artifact_digest": digest_of(digest), "canary": canary}
    run("plan-release", environment, request, leaves, within=within, as_json=as_json)


@app.command()
def release(
    digest: Digest,
    environment: EnvironmentName = PRODUCTION,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait for a release that is under way.")] = True,
    canary: AsNew = False,
    within: Within = None,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Release an artifact; what fails is taken back."""
    request = {"artifact_digest": digest_of(digest), "wait": wait, "canary": canary}
    request["reason"] = reason or f"{ASKED_FOR_BY} {who()}"
    leaves = {"plan": plan_data_key(environment)}
    run(f"deploy-{environment}", environment, request, leaves, within=within, as_json=as_json, detach=detach)


@app.command()
def rollback(
    environment: EnvironmentName = PRODUCTION,
    revision: Annotated[
        int | None, typer.Option(help="Which one, by its number; without it the run lists them.")
    ] = None,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Take it even if no journal tells that it served.")
    ] = False,
    reason: Reason = "",
    wait: Annotated[bool, typer.Option(help="Wait for a release under way; `slipway stop` ends it sooner.")] = False,
    within: Within = None,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Bring back an earlier revision that served all traffic."""
    request = {"revision": revision, "unverified": unverified, "wait": wait}
    request["reason"] = reason or f"{ASKED_FOR_BY} {who()}"
    run("rollback", environment, request, {}, within=within, as_json=as_json, detach=detach)


@app.command()
def recover(
    environment: EnvironmentName = PRODUCTION,
    reason: Reason = "",
    within: Within = None,
    as_json: AsJson = False,
    detach: Detach = False,
) -> None:
    """Take back the canary of a release that died.

    Prefect starts the same by itself; where nothing was left, nothing is done.
    """
    request = {"reason": reason or f"{ASKED_FOR_BY} {who()}"}
    run("recover", environment, request, {}, within=within, as_json=as_json, detach=detach)


@app.command()
def verify(environment: EnvironmentName = PRODUCTION, within: Within = None, as_json: AsJson = False) -> None:
    """Check that everything is as planned; change nothing."""
    run("verify", environment, {}, {"checks": checks_key(environment)}, within=within, as_json=as_json)


@app.command()
def status(
    environment: EnvironmentName = PRODUCTION,
    count: Annotated[int, typer.Option(min=1, help="How many releases to show.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what serves, who is at work, and the last releases.

    Also what one can go back to, and where Prefect's UI shows the newest release.
    """
    show_status(environment, count=count, as_json=as_json)


@app.command()
def stop(reason: Reason, environment: EnvironmentName = PRODUCTION, as_json: AsJson = False) -> None:
    """Ask the release under way to stop before its next step."""
    require_environment(environment)
    stop_release(environment, who(), reason, as_json=as_json)


app.command()(simulate)


@app.command()
def worker() -> None:
    """Run what is submitted, until Ctrl-C.

    A Prefect worker for the work pool that `slipway install` makes.
    """
    os.chdir(CHECKOUT)
    # An operator waits for the worker's next look; Prefect's own pause is ten seconds.
    os.environ.setdefault("PREFECT_WORKER_QUERY_SECONDS", "2")
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", POOL]
    os.execv(sys.executable, command)  # noqa: S606


def run(
    flow: str,
    environment: str,
    parameters: dict[str, Any],
    leaves: dict[str, str],
    *,
    within: int | None,
    as_json: bool,
    detach: bool = False,
) -> None:
    """Submit and follow. parameters: besides the environment. leaves: as in Request."""
    require_environment(environment)
    request = Request(
        deployment=f"{flow}/{environment}",
        environment=environment,
        parameters=parameters | {"environment": environment},
        leaves=leaves,
        queue_timeout=timedelta(seconds=within) if within else None,
    )
    raise typer.Exit(submit(request, as_json=as_json, detach=detach))


def digest_of(text: str) -> str:
    if not re.fullmatch(DIGEST, text):
        raise typer.BadParameter("an artifact digest is sha256: and 64 hexadecimal digits", param_hint="--digest")
    return text


def who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Ends by SystemExit with the exit code. arguments: those of the process unless told.

    With --json there is one document on standard output, however the command ends.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in given
    try:
        # Wrong usage is shown by typer, unless a program waits for an answer.
        sys.exit(app(given, standalone_mode=not as_json) or 0)
    except typer.TyperException as error:
        fail(error.exit_code, error.format_message(), as_json=as_json)
    except DeliveryError as error:
        outcome = outcome_of(error)
        fail(outcome.exit_code, str(error), outcome.state_name, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def fail(exit_code: int, sentence: str, state: str | None = None, *, as_json: bool) -> NoReturn:
    """state: as a run would end that ended so."""
    Screen(for_program=True).show_error(sentence)
    if as_json:
        answer(exit_code, sentence, run=None, state=state)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
