"""What the operator reads in the terminal: how a run ended, and how an environment stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.journal.lock import SKEW, LockState
from delivery.release import Record, end_in, has_effects, last_step

# A reason that nobody gave: who asked is told by the hold already.
ASKED_FOR_BY = "asked for by"
LONGEST_WORD = len("ROLL BACK FAILED")
AS_IT_STOOD = "Releases, newest first, each with how things stood when it ended:"


@dataclass(frozen=True)
class ReleaseReport:
    """A release as the store tells of it. page: of its run in Prefect's UI; None where nobody can tell."""

    number: int
    artifact_digest: str
    reason: str
    journal: tuple[Record, ...]
    page: str | None = None


def describe_ending(state_name: str, message: str) -> str:
    """`ROLLED BACK  <the sentence>`."""
    return f"{shout(state_name)}  {message}".rstrip()


def shout(state_name: str) -> str:
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
    environment: str, lock: LockState | None, releases: Sequence[ReleaseReport], now: datetime
) -> tuple[str, ...]:
    """Who holds the environment, then a line for each release.

    releases: newest first.
    """
    under_way = lock.number if lock and not lock.is_over(now) else None
    lines = [describe_release(release, is_under_way=release.number == under_way) for release in releases]
    told = [AS_IT_STOOD, *lines] if lines else [f"Nothing was ever released to {environment}."]
    return (describe_lock(environment, lock, now), *told)


def describe_page(releases: Sequence[ReleaseReport]) -> tuple[str, ...]:
    """Where Prefect's UI shows the newest release, the one under way if any; empty where nobody can tell."""
    newest = next(iter(releases), None)
    return (f"Release {newest.number} in Prefect's UI: {newest.page}",) if newest and newest.page else ()


def describe_lock(environment: str, lock: LockState | None, now: datetime) -> str:
    if lock is None or lock.is_released:
        return f"{environment} is free."
    sign = f"last sign of it {describe_elapsed(now - lock.renewed_at)} ago"
    if lock.is_over(now):
        return f"{environment} is free: {lock.describe()}, stopped without giving it back, {sign}."
    if now - lock.renewed_at > lock.holder.lease / 2:
        over = lock.renewed_at + lock.holder.lease + SKEW
        sign += f"; its process may have died: unless it renews the hold, that is over at {over:%H:%M:%S} UTC"
    stop = f" It was asked to stop by {lock.stop.who}: {lock.stop.why}" if lock.stop else ""
    return f"{environment} is held: {lock.describe()}, {sign}.{stop}"


def describe_release(release: ReleaseReport, *, is_under_way: bool) -> str:
    """`  7  2026-11-24 10:20  1b2c3d4e5f6a  ROLLED BACK       The canary failed.  (reason)`, always one line."""
    started = f"{release.journal[0].at:%Y-%m-%d %H:%M}" if release.journal else "-" * 16
    digest = release.artifact_digest.removeprefix("sha256:")[:12]
    word, sentence = end_of_release(release.journal, is_under_way)
    told = " ".join(sentence.removeprefix(f"Release {release.number}: ").split())
    has_reason = bool(release.reason) and not release.reason.startswith(ASKED_FOR_BY)
    reason = f"({release.reason})" if has_reason else ""
    columns = (f"{release.number:>5}", started, digest, f"{word:<{LONGEST_WORD}}", told, reason)
    return "  ".join(column for column in columns if column).rstrip()


def describe_end(journal: tuple[Record, ...], is_under_way: bool) -> str:
    """How a release ended, or where it is, as one sentence."""
    return "  ".join(end_of_release(journal, is_under_way)).rstrip()


def end_of_release(journal: tuple[Record, ...], is_under_way: bool) -> tuple[str, str]:
    """How a release ended, or where it is: in a word, and the sentence about it."""
    step = last_step(journal)
    if is_under_way:
        return "UNDER WAY", f"in {step}" if step else ""
    if (ended := end_in(journal)) is not None:
        return shout(ended.detail.get("outcome", "Ended")), ended.detail.get("message", "")
    return "STOPPED", f"in {step}, without an end" if has_effects(journal) else "before it changed anything"
