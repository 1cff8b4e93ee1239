"""Ask the release that has the lock on an environment to stop, or the runs that do not have it yet."""

from collections.abc import Sequence

from blocks.settings import load_environment
from cli.answers import answer
from cli.lines import shorten
from cli.screen import Screen
from clients.prefect.api import PrefectApi, Run
from delivery.environment import Environment
from delivery.errors import DeliveryError, NotFound
from delivery.journal.lock import LockState
from tasks.state.lock import request_stop, request_stop_of_run


def stop_release(environment_name: str, who: str, why: str, *, as_json: bool) -> None:
    """Report which release or runs were asked to stop. Raises NotFound if there are none."""
    environment = load_environment(environment_name)
    lock = request_stop(environment, who, why)
    sentence = describe_asked(lock) if lock else stop_runs(environment, who, why)
    Screen(for_program=as_json).say(sentence)
    if as_json:
        answer(0, sentence)


def stop_runs(environment: Environment, who: str, why: str) -> str:
    """Ask the runs that are planning, or waiting for a worker, to stop. Returns the sentence about them."""
    name = environment.name
    try:
        api = PrefectApi.connect()
        runs = api.list_unfinished([(f"deploy-{name}", name), ("rollback", name)])
    except DeliveryError as error:
        raise NotFound(f"{name} is not locked. Whether a run waits for its lock is unknown: {error}") from error
    if not runs:
        raise NotFound(f"{name} is not locked and no run waits for its lock: there is nothing to stop.")
    for run in runs:
        request_stop_of_run(environment, str(run.id), who, why)
    # One of them may have taken the lock before it was asked.
    lock = request_stop(environment, who, why)
    return describe_asked(lock) if lock else describe_runs(name, api, runs)


def describe_asked(lock: LockState) -> str:
    return (
        f"Asked to stop: {lock.describe()}. It stops before its next step. A canary in progress keeps its weight and "
        f"is no longer analyzed. To see the revisions to roll back to: slipway status {lock.environment}."
    )


def describe_runs(environment_name: str, api: PrefectApi, runs: Sequence[Run]) -> str:
    names = ", ".join(f"{shorten(run.name)}, {run.state_name.lower()} ({api.page_of(run.id)})" for run in runs)
    if len(runs) == 1:
        state = f"It does not have the lock on {environment_name} yet, and ends before any change."
    else:
        state = f"They do not have the lock on {environment_name} yet, and end before any change."
    return f"Asked to stop: {names}. {state}"
