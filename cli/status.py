"""How an environment stands: what serves, by the cluster; who holds it and how releases ended, by the store."""

import json
from datetime import UTC, datetime

from blocks.settings import load_environment
from cli.lines import shorten
from cli.screen import Screen
from clients.prefect.api import find_page
from delivery.environment import Environment
from delivery.errors import DeliveryError, NotFound
from delivery.journal.lock import LockState
from delivery.report import ReleaseReport, describe_end, describe_page, describe_status
from delivery.rollback.revisions import Journals
from delivery.rollback.serving import as_serving, describe_serving
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.application.planning import read_workload
from tasks.state.history import read_journals_of
from tasks.state.journal import list_numbers, read_journal, read_request
from tasks.state.lock import read_lock


def show_status(environment: str, *, count: int, as_json: bool) -> None:
    """Raises SettingsError, or Unavailable where the store does not answer."""
    settings = load_environment(environment)
    lock, now = read_lock(settings), datetime.now(UTC)
    releases = [report_release(settings, number) for number in reversed(list_numbers(settings)[-count:])]
    if as_json:
        print(json.dumps(as_object(settings, lock, releases, now), indent=2))
        return
    screen = Screen()
    for line in say_serving(settings):
        screen.say(line)
    hold_line, *rows = describe_status(environment, lock, releases, now)
    for line in (hold_line, *describe_page(releases)):
        screen.say(line)
    for row in rows:
        screen.say_row(shorten(row))


def say_serving(environment: Environment) -> tuple[str, ...]:
    """What serves, or why that cannot be told: the store's part of the status is worth reading without it."""
    try:
        return describe_serving(environment.name, *read_serving(environment))
    except NotFound as error:
        return (f"{environment.name} has no application yet: {error}",)
    except DeliveryError as error:
        return (f"What serves {environment.name} cannot be told: {error}",)


def read_serving(environment: Environment) -> tuple[RolloutSnapshot | None, Journals]:
    """The Rollout, and the journals of the releases since its oldest revision was made."""
    snapshot = read_workload(environment)
    if snapshot is None or not snapshot.replica_sets:
        return snapshot, {}
    return snapshot, read_journals_of(environment, snapshot)


def report_release(environment: Environment, number: int) -> ReleaseReport:
    request = read_request_if_any(environment, number)
    journal = read_journal(environment, number)
    run = request.get("flow_run")
    page = find_page(run) if run else None
    return ReleaseReport(number, request.get("artifact_digest", ""), request.get("reason", ""), journal, page)


def read_request_if_any(environment: Environment, number: int) -> dict[str, str]:
    """Empty for a moment on `file://`: the folder is there before what is in it."""
    try:
        return read_request(environment, number)
    except NotFound:
        return {}


def as_object(
    environment: Environment, lock: LockState | None, releases: list[ReleaseReport], now: datetime
) -> dict[str, object]:
    """The status for a program. serving: null where nothing serves, or where that cannot be told."""
    is_held = lock is not None and not lock.is_over(now)
    under_way = lock.number if lock and is_held else None
    return {
        "environment": environment.name,
        "serving": serving_as_object(environment),
        "is_held": is_held,
        "lock": lock.model_dump(mode="json") if lock else None,
        "releases": [release_as_object(release, under_way) for release in releases],
    }


def serving_as_object(environment: Environment) -> dict[str, object] | None:
    try:
        return as_serving(*read_serving(environment))
    except DeliveryError:
        return None


def release_as_object(release: ReleaseReport, under_way: int | None) -> dict[str, object]:
    return {
        "number": release.number,
        "artifact_digest": release.artifact_digest,
        "reason": release.reason,
        "outcome": describe_end(release.journal, release.number == under_way),
        "page": release.page,
        "journal": [record.model_dump(mode="json") for record in release.journal],
    }
