"""The status of an environment: what serves traffic, from the cluster; the lock and the releases, from the store."""

import json
from datetime import UTC, datetime

from blocks.settings import load_environment
from cli.lines import shorten
from cli.screen import Screen
from clients.prefect.api import find_page
from delivery.environment import Environment
from delivery.errors import DeliveryError, NotFound
from delivery.journal.lock import LockState
from delivery.release import ReleaseRequest
from delivery.report import ReleaseReport, describe_end, describe_page, describe_status
from delivery.rollback.revisions import Journals
from delivery.rollback.serving import as_serving, describe_serving
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.application.planning import read_rollout
from tasks.rollout.live import read_rollout_spec
from tasks.state.history import read_journals_of
from tasks.state.journal import list_numbers, read_journal, read_request
from tasks.state.lock import read_lock


def show_status(environment_name: str, *, count: int, as_json: bool) -> None:
    """Raises SettingsError, or Unavailable if the store does not answer."""
    environment = load_environment(environment_name)
    lock, now = read_lock(environment), datetime.now(UTC)
    releases = [report_release(environment, number) for number in reversed(list_numbers(environment)[-count:])]
    if as_json:
        print(json.dumps(as_object(environment, lock, releases, now), indent=2))
        return
    screen = Screen()
    for line in describe_traffic(environment):
        screen.say(line)
    lock_line, *rows = describe_status(environment_name, lock, releases, now)
    for line in (lock_line, *describe_page(releases)):
        screen.say(line)
    for row in rows:
        screen.say_row(shorten(row))


def describe_traffic(environment: Environment) -> tuple[str, ...]:
    """What serves traffic, or why that is unknown: the rest of the status is worth reading without it."""
    try:
        snapshot, journals = read_serving(environment)
        if snapshot is None:
            return (describe_missing_rollout(environment),)
        return describe_serving(environment.name, snapshot, journals)
    except NotFound as error:
        return (f"Nothing was found that serves {environment.name}: {error}",)
    except DeliveryError as error:
        return (f"Traffic of {environment.name} unknown: {error}",)


def describe_missing_rollout(environment: Environment) -> str:
    rollout_spec = read_rollout_spec(environment)
    return f"Rollout {rollout_spec.rollout} does not exist in namespace {rollout_spec.namespace}."


def read_serving(environment: Environment) -> tuple[RolloutSnapshot | None, Journals]:
    """The Rollout, and the journals of the releases since its oldest revision was created."""
    snapshot = read_rollout(environment)
    if snapshot is None or not snapshot.replica_sets:
        return snapshot, {}
    return snapshot, read_journals_of(environment, snapshot)


def report_release(environment: Environment, number: int) -> ReleaseReport:
    request = read_request_if_any(environment, number)
    journal = read_journal(environment, number)
    page = find_page(request.flow_run) if request.flow_run else None
    return ReleaseReport(number, request.artifact_digest or "", request.reason, journal, page)


def read_request_if_any(environment: Environment, number: int) -> ReleaseRequest:
    """Empty for a moment on `file://`, where the folder exists before the request in it."""
    try:
        return read_request(environment, number)
    except NotFound:
        return ReleaseRequest()


def as_object(
    environment: Environment, lock: LockState | None, releases: list[ReleaseReport], now: datetime
) -> dict[str, object]:
    """The status for a program. serving: null if nothing serves traffic, or if that is unknown."""
    is_locked = lock is not None and not lock.is_over(now)
    in_progress = lock.number if lock and is_locked else None
    return {
        "environment": environment.name,
        "serving": serving_as_object(environment),
        "is_locked": is_locked,
        "lock": lock.model_dump(mode="json") if lock else None,
        "releases": [release_as_object(environment.name, release, in_progress) for release in releases],
    }


def serving_as_object(environment: Environment) -> dict[str, object] | None:
    try:
        return as_serving(environment.name, *read_serving(environment))
    except DeliveryError:
        return None


def release_as_object(environment_name: str, release: ReleaseReport, in_progress: int | None) -> dict[str, object]:
    return {
        "number": release.number,
        "artifact_digest": release.artifact_digest,
        "reason": release.reason,
        "outcome": describe_end(environment_name, release.journal, release.number == in_progress),
        "page": release.page,
        "journal": [record.model_dump(mode="json") for record in release.journal],
    }
