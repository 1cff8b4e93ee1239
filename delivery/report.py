"""What a terminal shows: how a run ended, and `slipway status`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.journal.lock import LockState
from delivery.release import Record, end_in, has_effects, last_step

# Beginning of the default reason. The list of releases leaves it out.
ASKED_FOR_BY = "asked for by"
IN_PROGRESS = "IN PROGRESS"
NO_END = "NO END RECORDED"
STATE_WIDTH = len("ROLLBACK FAILED")
HEADING = "Releases, newest first. The message of a release that ended describes the state at its end:"


@dataclass(frozen=True)
class ReleaseReport:
    """A release, as the store shows it. page: of its run in the Prefect UI; None if it is unknown."""

    number: int
    artifact_digest: str
    reason: str
    journal: tuple[Record, ...]
    page: str | None = None


def describe_ending(state_name: str, message: str) -> str:
    """`ROLLED BACK  Revision 41 serves all traffic.`"""
    return f"{in_capitals(state_name)}  {message}".rstrip()


def in_capitals(state_name: str) -> str:
    """`RolledBack` as `ROLLED BACK`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", state_name).upper()


def describe_elapsed(elapsed: timedelta) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`."""
    seconds = max(elapsed.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def describe_status(
    environment_name: str, lock: LockState | None, releases: Sequence[ReleaseReport], now: datetime
) -> tuple[str, ...]:
    """A line about the lock, then a line for each release. releases: newest first."""
    in_progress = lock.number if lock and not lock.is_over(now) else None
    lines = [
        describe_release(environment_name, release, is_in_progress=release.number == in_progress)
        for release in releases
    ]
    listed = [HEADING, *lines] if lines else [f"{environment_name} has no releases yet."]
    return (describe_lock(environment_name, lock, now), *listed)


def describe_page(releases: Sequence[ReleaseReport]) -> tuple[str, ...]:
    """The page of the newest release in the Prefect UI; empty if it is unknown."""
    newest = next(iter(releases), None)
    return (f"Release {newest.number} in the Prefect UI: {newest.page}",) if newest and newest.page else ()


def describe_lock(environment_name: str, lock: LockState | None, now: datetime) -> str:
    if lock is None or lock.is_released:
        return f"{environment_name} is not locked."
    renewed = f"renewed {describe_elapsed(now - lock.renewed_at)} ago"
    if lock.is_over(now):
        expired = f"The lock of {lock.describe()} expired and was not released; it was last {renewed}."
        return f"{environment_name} is not locked. {expired}"
    expires = ""
    if now - lock.renewed_at > lock.holder.lease / 2:
        at = f"{lock.expires_at:%H:%M:%S} UTC"
        expires = f" The process may have died: without a renewal, the lock expires at {at}."
    stop = f" {lock.stop.who} asked this release to stop: {lock.stop.why}" if lock.stop else ""
    return f"{environment_name} is locked by {lock.describe()}. The lock was {renewed}.{expires}{stop}"


def describe_release(environment_name: str, release: ReleaseReport, *, is_in_progress: bool) -> str:
    """`  7  2026-11-24 10:20  1b2c3d4e5f6a  ROLLED BACK      The canary failed.  (reason)`, always one line."""
    started = f"{release.journal[0].at:%Y-%m-%d %H:%M}" if release.journal else "-" * 16
    digest = release.artifact_digest.removeprefix("sha256:")[:12]
    state, message = state_of_release(environment_name, release.journal, is_in_progress)
    sentence = " ".join(message.removeprefix(f"Release {release.number}: ").split())
    has_reason = bool(release.reason) and not release.reason.startswith(ASKED_FOR_BY)
    reason = f"({release.reason})" if has_reason else ""
    columns = (f"{release.number:>5}", started, digest, f"{state:<{STATE_WIDTH}}", sentence, reason)
    return "  ".join(column for column in columns if column).rstrip()


def describe_end(environment_name: str, journal: tuple[Record, ...], is_in_progress: bool) -> str:
    """How a release ended, or its last step, as one line."""
    return "  ".join(state_of_release(environment_name, journal, is_in_progress)).rstrip()


def state_of_release(environment_name: str, journal: tuple[Record, ...], is_in_progress: bool) -> tuple[str, str]:
    """The state of a release in capitals, and the message about it."""
    step = last_step(journal)
    if is_in_progress:
        return IN_PROGRESS, f"step {step}" if step else ""
    if (end := end_in(journal)) is not None:
        return in_capitals(end.outcome or "Ended"), end.message
    return NO_END, _describe_no_end(environment_name, step) if has_effects(journal) else "Nothing was changed."


def _describe_no_end(environment_name: str, step: str | None) -> str:
    recover = f"If a canary is in progress: slipway recover {environment_name}"
    return f"The process died, or could not record its end. The last step was {step}. {recover}"
