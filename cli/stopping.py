"""Asking whoever is at work on an environment to stop: its holder, or the runs that do not hold it yet."""

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


def stop_release(environment: str, who: str, why: str, *, as_json: bool) -> None:
    """Says who was asked. Raises NotFound where there is nobody."""
    settings = load_environment(environment)
    lock = request_stop(settings, who, why)
    sentence = describe_asked(lock) if lock else stop_runs(settings, who, why)
    Screen(for_program=as_json).say(sentence)
    if as_json:
        answer(0, sentence)


def stop_runs(environment: Environment, who: str, why: str) -> str:
    """Asks the runs that plan, or wait to be started. The sentence about them."""
    name = environment.name
    try:
        api = PrefectApi.connect()
        runs = api.list_unfinished([(f"deploy-{name}", name), ("rollback", name)])
    except DeliveryError as error:
        raise NotFound(f"Nobody holds {name}; whether a run is on its way to it cannot be told: {error}") from error
    if not runs:
        raise NotFound(f"Nobody holds {name}: there is nothing to stop.")
    for run in runs:
        request_stop_of_run(environment, str(run.id), who, why)
    # One of them may have taken the environment before it was asked.
    lock = request_stop(environment, who, why)
    return describe_asked(lock) if lock else describe_runs(name, api, runs)


def describe_asked(lock: LockState) -> str:
    return (
        f"Asked to stop: {lock.describe()}. It stops before its next step. A canary keeps the traffic that it has "
        f"then, and nobody judges it: slipway rollback {lock.environment} takes it back."
    )


def describe_runs(environment: str, api: PrefectApi, runs: Sequence[Run]) -> str:
    names = ", ".join(f"{shorten(run.name)}, {run.state_name.lower()} ({api.page_of(run.id)})" for run in runs)
    ends = "ends once it has planned, before it changes anything"
    return f"Asked to stop: {names}. It does not hold {environment} yet, and {ends}."
