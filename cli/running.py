"""Submitting a run to Prefect and following it to its end; the run itself goes on without us."""

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
from delivery.outcome import INTERRUPTED, NOT_TAKEN, exit_code_of
from tasks.state.history import may_have_effects

SECONDS_BETWEEN_LOOKS = 1.0
TIME_FOR_LAST_LINES = timedelta(seconds=6)
LONGEST_SILENCE = timedelta(minutes=2)
FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    """What is submitted. leaves: the artifacts that its run leaves for programs, by the names they have in the answer.
    queue_timeout: how long somebody may take to start it; for ever unless told.
    """

    deployment: str
    environment: str
    parameters: dict[str, Any]
    leaves: dict[str, str]
    queue_timeout: timedelta | None = None


def submit(request: Request, *, as_json: bool, detach: bool) -> int:
    """The exit code of the run, once it has ended; 0 at once where it is not followed."""
    screen = Screen(for_program=as_json)
    api = PrefectApi.connect()
    run = api.submit(request.deployment, request.parameters)
    screen.say(f"{request.deployment}  {api.page_of(run)}", "bold")
    if detach:
        return leave(screen, run, "Submitted. It runs as soon as a worker picks it up.", 0, as_json=as_json)
    start = Start(api, request.queue_timeout)
    try:
        with screen.live():
            ended = follow(api, run, start, screen)
    except KeyboardInterrupt:
        stop = f"To stop it at its next safe point: slipway stop {request.environment} --reason WHY"
        sentence = f"Not followed any more; the run goes on in Prefect: {api.page_of(run)}\n{stop}"
        return leave(screen, run, sentence, INTERRUPTED, as_json=as_json)
    code, message = conclude(ended, screen, request.environment, is_given_up=start.is_given_up)
    if as_json:
        answer(code, message, run=str(run), state=ended.state_name, **read_artifacts(api, run, request))
    return code


def leave(screen: Screen, run: UUID, sentence: str, code: int, *, as_json: bool) -> int:
    """Says that the run goes on without us."""
    screen.say(sentence)
    if as_json:
        answer(code, sentence, run=str(run), state=None)
    return code


def read_artifacts(api: PrefectApi, run: UUID, request: Request) -> dict[str, Any]:
    """What the run left for programs; null where it did not come that far."""
    found = {name: api.read_artifact(run, key) for name, key in request.leaves.items()}
    return {name: json.loads(text) if text else None for name, text in found.items()}


def follow(api: PrefectApi, run: UUID, start: Start, screen: Screen) -> Run:
    """The run as it ended. Raises Unavailable where Prefect does not answer for long."""
    follower, answered = Follower(api, run), datetime.now(UTC)
    while True:
        try:
            if (ended := tell_news(follower, start, screen)) is not None:
                return ended
            answered = datetime.now(UTC)
        except Unavailable as error:
            if datetime.now(UTC) - answered > LONGEST_SILENCE:
                raise Unavailable(f"{error} The run may go on; see {api.page_of(run)}") from error
        time.sleep(SECONDS_BETWEEN_LOOKS)


def tell_news(follower: Follower, start: Start, screen: Screen) -> Run | None:
    """Shows what happened since the last look. The run, once it has ended and all is told."""
    look, now = follower.look(), datetime.now(UTC)
    start.look(look.root, screen)
    started = look.root.started or now
    is_over = look.root.is_final and (
        follower.has_all_lines(look) or now - (look.root.ended or now) > TIME_FOR_LAST_LINES
    )
    for line in follower.news(look, FOREVER if is_over else follower.settled_at(now)):
        screen.show(line, line.at - started)
    screen.show_running(look.running, now + follower.ahead)
    return look.root if is_over else None


def conclude(ended: Run, screen: Screen, environment: str, *, is_given_up: bool) -> tuple[int, str]:
    """Shows how the run ended. The exit code, and the sentence about it."""
    is_success = ended.state_type == "COMPLETED"
    code = exit_code_of(ended.state_type, ended.state_name, may_have_effects(environment, str(ended.id)))
    if is_given_up and not ended.attempts:
        code = NOT_TAKEN
    message = f"{ended.message}{advice(ended, environment)}".lstrip()
    screen.show_ending(ended.state_name, shorten(message), is_success=is_success)
    return code, message


def advice(ended: Run, environment: str) -> str:
    """What to do about a run that could not say itself how it ended."""
    if ended.state_type not in ("CRASHED", "CANCELLED"):
        return ""
    if ended.state_type == "CANCELLED" and not ended.attempts:
        return " No worker had taken it: nothing was touched. Start a worker (slipway worker), then start it again."
    return (
        f" The run could not say what it left behind: see slipway status {environment}. What it had begun is in its "
        f"journal. A release's canary is taken back by a run of recover/{environment}, or left, as "
        "[recovery] on_orphaned says; a release started again goes on from what is there, "
        "slipway rollback --revision N brings an earlier revision back."
    )
