"""Submit a run to Prefect and follow it to its end. The run does not depend on this process."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cli.answers import answer
from cli.following import Follower
from cli.lines import shorten
from cli.screen import Screen
from cli.starting import Start
from clients.prefect.api import PrefectApi, Run
from delivery.errors import Unavailable
from delivery.outcome import INTERRUPTED, QUEUE_TIMED_OUT, exit_code_of
from tasks.state.history import may_have_effects

POLL_SECONDS = 1.0
TIME_FOR_LAST_LINES = timedelta(seconds=6)
LONGEST_SILENCE = timedelta(minutes=2)
FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """A run to submit. artifacts: key of each artifact for programs, by its name in the answer.
    queue_timeout: how long the run may wait for a worker; None: for ever.
    """

    deployment: str
    environment_name: str
    parameters: dict[str, Any]
    artifacts: dict[str, str]
    queue_timeout: timedelta | None = None


def submit(request: Request, *, as_json: bool, detach: bool) -> int:
    """The exit code of the run, once it has ended; 0 at once if it is not followed."""
    screen = Screen(for_program=as_json)
    api = PrefectApi.connect()
    run = api.submit(request.deployment, request.parameters)
    screen.say(f"{request.deployment}  {api.page_of(run)}", "bold")
    if detach:
        return detach_from(screen, run, "Submitted. The run starts when a worker picks it up.", 0, as_json=as_json)
    start = Start(api, request.queue_timeout)
    try:
        with screen.live():
            ended = follow(api, run, start, screen)
    except KeyboardInterrupt:
        stop = f"To stop it before its next step: slipway stop {request.environment_name} --reason WHY"
        sentence = f"Stopped following. The run continues in Prefect: {api.page_of(run)}\n{stop}"
        return detach_from(screen, run, sentence, INTERRUPTED, as_json=as_json)
    code, message = conclude(ended, screen, request.environment_name, is_cancelled=start.is_cancelled)
    if as_json:
        answer(code, message, run=str(run), state=ended.state_name, **read_artifacts(api, run, request))
    return code


def detach_from(screen: Screen, run: UUID, sentence: str, code: int, *, as_json: bool) -> int:
    """Report that the run continues without this process."""
    screen.say(sentence)
    if as_json:
        answer(code, sentence, run=str(run), state=None)
    return code


def read_artifacts(api: PrefectApi, run: UUID, request: Request) -> dict[str, Any]:
    """The artifacts that the run created for programs; null for those it did not reach."""
    found = {name: api.read_artifact(run, key) for name, key in request.artifacts.items()}
    return {name: json.loads(text) if text else None for name, text in found.items()}


def follow(api: PrefectApi, run: UUID, start: Start, screen: Screen) -> Run:
    """The run as it ended. Raises Unavailable if Prefect does not answer for LONGEST_SILENCE."""
    follower, answered = Follower(api, run), datetime.now(UTC)
    while True:
        try:
            if (ended := show_new_lines(follower, start, screen)) is not None:
                return ended
            answered = datetime.now(UTC)
        except Unavailable as error:
            if datetime.now(UTC) - answered > LONGEST_SILENCE:
                raise Unavailable(f"{error} The run may still be in progress: {api.page_of(run)}") from error
        time.sleep(POLL_SECONDS)


def show_new_lines(follower: Follower, start: Start, screen: Screen) -> Run | None:
    """Show what happened since the last poll. Returns the run once it has ended and everything is shown."""
    snapshot, now = follower.read(), datetime.now(UTC)
    start.check(snapshot.root, screen)
    started = snapshot.root.started or now
    is_over = snapshot.root.is_final and (
        follower.has_all_lines(snapshot) or now - (snapshot.root.ended or now) > TIME_FOR_LAST_LINES
    )
    for line in follower.new_lines(snapshot, FOREVER if is_over else follower.settled_at(now)):
        screen.show(line, line.at - started)
    screen.show_running(snapshot.running, now + follower.ahead)
    return snapshot.root if is_over else None


def conclude(ended: Run, screen: Screen, environment_name: str, *, is_cancelled: bool) -> tuple[int, str]:
    """Show how the run ended. Returns the exit code and the message. is_cancelled: by us, for lack of a worker."""
    is_success = ended.state_type == "COMPLETED"
    code = exit_code_of(ended.state_type, ended.state_name, may_have_effects(environment_name, str(ended.id)))
    if is_cancelled and not ended.attempts:
        code = QUEUE_TIMED_OUT
    message = f"{ended.message}{advice(ended, environment_name)}".lstrip()
    screen.show_ending(ended.state_name, shorten(message), is_success=is_success)
    return code, message


def advice(ended: Run, environment_name: str) -> str:
    """What to do about a run that could not report its own end."""
    if ended.state_type not in ("CRASHED", "CANCELLED"):
        return ""
    if ended.state_type == "CANCELLED" and not ended.attempts:
        return (
            " No worker picked it up, so nothing was changed. To start a worker: slipway worker. Then start it again."
        )
    return (
        f" The run ended without a result. To see the state now: slipway status {environment_name}. A canary in "
        f"progress is rolled back by the Prefect deployment recover/{environment_name}, unless [recovery] on_orphaned "
        "is 'leave'. To continue, run the same command again."
    )
