"""Submitting a run to Prefect and following it to its end; the run itself goes on without us."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cli.following import TOLD_AFTER, Follower, shorten
from cli.screen import Screen
from clients.prefect_api import PrefectApi, Run
from delivery.errors import Unavailable
from delivery.outcome import INTERRUPTED, exit_code_of
from deployments.pool import POOL
from tasks.history import may_have_effects
from tasks.planning import plan_data_key

SECONDS_BETWEEN_LOOKS = 1.0
# Longer than a worker's longest pause between two questions for work.
TIME_FOR_A_WORKER = timedelta(seconds=15)
TIME_FOR_LAST_LINES = timedelta(seconds=6)
LONGEST_SILENCE = timedelta(minutes=2)
FOREVER = datetime.max.replace(tzinfo=UTC)


def submit(deployment: str, parameters: dict[str, Any], *, environment: str, as_json: bool, detach: bool) -> int:
    """The exit code of the run, once it has ended; 0 at once where it is not followed."""
    screen = Screen(for_program=as_json)
    api = PrefectApi.connect()
    run = api.submit(deployment, parameters)
    screen.say(f"{deployment}  {api.page_of(run)}", "bold")
    if detach:
        screen.say("Submitted. It runs as soon as a worker picks it up.")
        return 0
    try:
        with screen.live():
            ended = follow(api, run, screen)
    except KeyboardInterrupt:
        screen.say(f"Not followed any more; the run goes on in Prefect: {api.page_of(run)}")
        screen.say(f"To stop it at its next safe point: slipway stop {environment} --reason WHY")
        return INTERRUPTED
    code, message = conclude(ended, screen, environment)
    if as_json:
        told = {"run": str(ended.id), "state": ended.state_name, "message": message, "exit_code": code}
        plan = api.read_artifact(run, plan_data_key(environment))
        print(json.dumps(told | {"plan": json.loads(plan) if plan else None}))
    return code


def follow(api: PrefectApi, run: UUID, screen: Screen) -> Run:
    """The run as it ended. Raises Unavailable where Prefect does not answer for long."""
    follower, submitted = Follower(api, run), datetime.now(UTC)
    answered, is_asked = submitted, False
    while True:
        try:
            is_asked = is_asked or tell_if_nobody_works(api, run, submitted, screen)
            if (ended := tell_news(follower, screen)) is not None:
                return ended
            answered = datetime.now(UTC)
        except Unavailable as error:
            if datetime.now(UTC) - answered > LONGEST_SILENCE:
                raise Unavailable(f"{error} The run may go on; see {api.page_of(run)}") from error
        time.sleep(SECONDS_BETWEEN_LOOKS)


def tell_news(follower: Follower, screen: Screen) -> Run | None:
    """Shows what happened since the last look. The run, once it has ended and all is told."""
    look, now = follower.look(), datetime.now(UTC)
    started = look.root.started or now
    is_over = look.root.is_final and (
        follower.has_all_lines(look) or now - (look.root.ended or now) > TIME_FOR_LAST_LINES
    )
    for line in follower.news(look, FOREVER if is_over else now - TOLD_AFTER):
        screen.show(line, line.at - started)
    screen.show_running(look.running, now)
    return look.root if is_over else None


def tell_if_nobody_works(api: PrefectApi, run: UUID, submitted: datetime, screen: Screen) -> bool:
    """Whether the question is settled: the run has started, or it was told that nobody is there to start it."""
    if datetime.now(UTC) - submitted < TIME_FOR_A_WORKER:
        return False
    if api.read_run(run).started is not None:
        return True
    if api.count_workers(POOL) > 0:
        return False
    screen.say(f"No worker polls the work pool {POOL!r}: the run waits. Start one: slipway worker", "yellow")
    return True


def conclude(ended: Run, screen: Screen, environment: str) -> tuple[int, str]:
    """Shows how the run ended. The exit code, and the sentence about it."""
    is_success = ended.state_type == "COMPLETED"
    code = exit_code_of(ended.state_type, ended.state_name, may_have_effects(environment, str(ended.id)))
    message = ended.message + advice(ended, environment)
    screen.show_ending(ended.state_name, shorten(message), is_success=is_success)
    return code, message


def advice(ended: Run, environment: str) -> str:
    """What to do about a run that could not say itself how it ended."""
    if ended.state_type not in ("CRASHED", "CANCELLED"):
        return ""
    return (
        f" The run could not say what it left behind: see slipway status {environment}. What it had begun is in its "
        "journal; a release started again goes on from what is there, "
        "slipway roll-back --revision N brings an earlier revision back."
    )
