"""How an environment stands, as the store tells: who holds it, and the last releases."""

import json
from datetime import UTC, datetime

from blocks.settings import load_environment
from cli.following import shorten
from cli.screen import Screen
from delivery.environment import Environment
from delivery.errors import NotFound
from delivery.report import ReleaseReport, describe_end, describe_status
from tasks.holds import read_hold
from tasks.journal import list_numbers, read_journal, read_request


def show_status(environment: str, *, count: int, as_json: bool) -> None:
    """Raises SettingsError, or Unavailable where the store does not answer."""
    settings = load_environment(environment)
    hold, now = read_hold(settings), datetime.now(UTC)
    releases = [report_release(settings, number) for number in reversed(list_numbers(settings)[-count:])]
    if as_json:
        is_held = hold is not None and not hold.is_over(now)
        shown = {"environment": environment, "is_held": is_held, "hold": hold.model_dump(mode="json") if hold else None}
        under_way = hold.number if hold and is_held else None
        print(json.dumps(shown | {"releases": [as_object(release, under_way) for release in releases]}, indent=2))
        return
    screen = Screen()
    hold_line, *rows = describe_status(environment, hold, releases, now)
    screen.say(hold_line)
    for row in rows:
        screen.say_row(shorten(row))


def report_release(environment: Environment, number: int) -> ReleaseReport:
    request = read_request_if_any(environment, number)
    journal = read_journal(environment, number)
    return ReleaseReport(number, request.get("artifact_digest", ""), request.get("reason", ""), journal)


def read_request_if_any(environment: Environment, number: int) -> dict[str, str]:
    """Empty for a moment on `file://`: the folder is there before what is in it."""
    try:
        return read_request(environment, number)
    except NotFound:
        return {}


def as_object(release: ReleaseReport, under_way: int | None) -> dict[str, object]:
    return {
        "number": release.number,
        "artifact_digest": release.artifact_digest,
        "reason": release.reason,
        "outcome": describe_end(release.journal, release.number == under_way),
        "journal": [record.model_dump(mode="json") for record in release.journal],
    }
