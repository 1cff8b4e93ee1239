"""A canary that nobody looks after any more: found once its release's hold is over, and taken back."""

import time
from dataclasses import dataclass
from datetime import timedelta

from prefect import task
from prefect.client.schemas import State
from prefect.states import Completed

from delivery.environment import Environment, WhenDied
from delivery.errors import Refused, Unfinished
from delivery.holds import SKEW, HoldState
from delivery.outcome import COMPLETED, NOTHING_TO_DO
from delivery.recovery import Abandoned, find_abandoned, has_no_canary, tells_nothing, why_left
from delivery.release import Release
from tasks.endings import tell
from tasks.holds import read_hold
from tasks.journal import list_numbers, read_journal, read_request
from tasks.leases import elapsed, system_now
from tasks.progress import progress
from tasks.stand import describe_stand
from tasks.systems import LiveSystem, connect_system
from tasks.waiting import ASKED_AGAIN
from tasks.way_back import WAY_BACK, return_to, telling_where_traffic_is

LEASES_WAITED = 2


@dataclass(frozen=True)
class Remains:
    """abandoned: the release whose canary is to be taken back, None where there is none. stable_digest: what is gone
    back to. sentence: what was found.
    """

    abandoned: Abandoned | None
    stable_digest: str
    sentence: str


@task(**ASKED_AGAIN, task_run_name="look for what a release left in {environment.name}")
def look_for_remains(environment: Environment) -> Remains:
    """What there is to recover, once nobody holds the environment.

    Raises Unfinished where a person has to decide, or the environment says that a person does.
    """
    hold = await_end_of_hold(environment)
    if hold is not None:
        return Remains(None, "", f"{hold.describe()}, holds {environment.name} and sees to it. Nothing was touched.")
    return judge_remains(environment, newest_abandoned(environment))


def await_end_of_hold(environment: Environment) -> HoldState | None:
    """Whoever still renews the hold after two leases; None once it is over. A process that died renews nothing."""
    deadline = elapsed() + LEASES_WAITED * environment.hold.lease + SKEW
    while (hold := read_hold(environment)) is not None and not hold.is_over(system_now()):
        if elapsed() >= deadline:
            return hold
        time.sleep(min(environment.hold.lease / 6, timedelta(seconds=5)).total_seconds())
    return None


def newest_abandoned(environment: Environment, before: int | None = None) -> Abandoned | None:
    """The newest release that touched the traffic, where nobody saw to its end. before: our own number."""
    for number in reversed(list_numbers(environment)):
        if before is not None and number >= before:
            continue
        request, journal = read_request(environment, number), read_journal(environment, number)
        if not tells_nothing(request, journal):
            return find_abandoned(number, request, journal)
    return None


def judge_remains(environment: Environment, abandoned: Abandoned | None) -> Remains:
    if abandoned is None:
        return Remains(None, "", f"No release left a canary behind in {environment.name}. Nothing was touched.")
    live = connect_system(environment)
    reading = live.find()
    if has_no_canary(reading):
        said = f"Release {abandoned.number} did not end, and no canary is under way. Nothing was touched."
        return Remains(None, "", f"{said} See slipway status {environment.name}, and release again.")
    if (why := why_left(abandoned, reading)) is not None:
        raise Unfinished(f"{why}.")
    died = f"Release {abandoned.number} did not end, and its canary is under way."
    if environment.recovery.when_died is WhenDied.LEAVE:
        raise Unfinished(f"{died} It is left, as [recovery] when_died says. {describe_stand(live)}")
    return Remains(abandoned, digest_of_stable(live), died)


def digest_of_stable(live: LiveSystem) -> str:
    stable = live.read().stable
    if stable is None or not stable.artifact_digest:
        raise Unfinished(f"The stable revision's image names no digest. {describe_stand(live)}")
    return stable.artifact_digest


def left_alone(remains: Remains) -> State:
    """The end of a recovery that has nothing to do: no hold was taken, no release was counted."""
    return Completed(name=NOTHING_TO_DO.state_name, message=remains.sentence)


@task(**WAY_BACK, task_run_name="take the canary of release {abandoned.number} back")
def take_back_abandoned(environment: Environment, release: Release, abandoned: Abandoned) -> str:
    """All traffic at the revision that the dead release found; the sentence that says so.

    Raises Refused where somebody saw to it before the hold was ours, and otherwise as take_back_application does.
    """
    if newest_abandoned(environment, release.number) != abandoned:
        raise Refused(f"Meanwhile somebody else went on from what release {abandoned.number} left.")
    progress(f"Release {abandoned.number} did not end: its canary is taken back.")
    live = connect_system(environment)
    with telling_where_traffic_is(live):
        return return_to(live, release, abandoned.stable_hash)


def recovered(environment: Environment, release: Release, abandoned: Abandoned, seen: str) -> str:
    """The end of a recovery, told to the environment's channels: the release that died told them nothing."""
    sentence = f"Release {abandoned.number} did not end; its canary was taken back, as release {release.number}. {seen}"
    tell(environment, release, COMPLETED.state_name, sentence)
    return sentence
