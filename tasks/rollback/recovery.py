"""A canary that nobody looks after any more: found once its release's hold is over, and taken back."""

import time
from dataclasses import dataclass

from prefect import task
from prefect.client.schemas import State
from prefect.states import Completed

from delivery.environment import Environment, WhenDied
from delivery.errors import Refused, Unfinished
from delivery.journal.lock import SKEW, HoldState
from delivery.outcome import COMPLETED, NOTHING_TO_DO, UNFINISHED
from delivery.release import Release
from delivery.rollback.compensation import describe_kept, join_sentences
from delivery.rollback.recovery import Abandoned, find_abandoned, tells_nothing, why_left, why_not_observed
from delivery.rollout.snapshot import Reading
from tasks.application.planning import find_workload
from tasks.rollback.outcomes import tell
from tasks.rollback.rollback import WAY_BACK, return_to, telling_where_traffic_is
from tasks.rollout.describe import describe_stand
from tasks.rollout.live import connect_system
from tasks.runs.log import progress
from tasks.state.journal import list_numbers, read_journal
from tasks.state.leases import elapsed, system_now
from tasks.state.lock import pause_between_looks, read_hold

LEASES_WAITED = 2


@dataclass(frozen=True)
class Remains:
    """abandoned: the release whose canary is to be taken back, None where there is none. artifact_digest: what is gone
    back to. sentence: what was found.
    """

    abandoned: Abandoned | None
    artifact_digest: str
    sentence: str


@task(**WAY_BACK, task_run_name="look for what a release left in {environment.name}")
def look_for_remains(environment: Environment, *, wait: bool = True) -> Remains:
    """What there is to recover, once nobody holds the environment.

    wait: for a process that died and whose hold counts still. Raises Unfinished, told to the environment's channels,
    where a person has to decide.
    """
    hold = await_end_of_hold(environment, wait=wait)
    if hold is not None:
        return Remains(None, "", f"{hold.describe()}, holds {environment.name} and sees to it. Nothing was touched.")
    abandoned = newest_abandoned(environment)
    try:
        return judge_remains(environment, abandoned)
    except Unfinished as why:
        # The release that died told nobody.
        if abandoned is not None:
            tell(environment, abandoned.number, UNFINISHED.state_name, str(why))
        raise


def await_end_of_hold(environment: Environment, *, wait: bool) -> HoldState | None:
    """Whoever holds it still after two of its leases; None once it is over. A process that died renews nothing."""
    began = elapsed()
    while (hold := read_hold(environment)) is not None and not hold.is_over(system_now()):
        if not wait or elapsed() - began >= LEASES_WAITED * hold.holder.lease + SKEW:
            return hold
        time.sleep(pause_between_looks(hold.holder.lease).total_seconds())
    return None


def newest_abandoned(environment: Environment, before: int | None = None) -> Abandoned | None:
    """The newest release that touched the traffic, where nobody saw to its end. before: our own number."""
    for number in reversed(list_numbers(environment)):
        if before is not None and number >= before:
            continue
        journal = read_journal(environment, number)
        if not tells_nothing(journal):
            return find_abandoned(number, journal)
    return None


def judge_remains(environment: Environment, abandoned: Abandoned | None) -> Remains:
    """By the Rollout as it stands: a journal alone does not tell whether a canary is under way."""
    reading = observe_workload(environment)
    if reading is None or not reading.is_unfinished:
        died = f"Release {abandoned.number} did not end, and no" if abandoned else "No"
        return Remains(None, "", f"{died} canary is under way in {environment.name}. Nothing was touched.")
    live = connect_system(environment)
    if abandoned is None:
        left = f"No release died in the canary that is under way. {describe_stand(live)} Nothing was touched."
        return Remains(None, "", left)
    died = f"Release {abandoned.number} did not end, and a canary is under way."
    if (why := why_left(abandoned, reading)) is not None:
        raise Unfinished(f"{died} {why}. {describe_stand(live)}")
    if environment.recovery.when_died is WhenDied.LEAVE:
        raise Unfinished(f"{died} It is left, as [recovery] when_died says. {describe_stand(live)}")
    # The digest only names the recovery: an abort needs none.
    named = reading.stable.artifact_digest if reading.stable else ""
    return Remains(abandoned, named or abandoned.artifact_digest, died)


def observe_workload(environment: Environment) -> Reading | None:
    """The Rollout once its controller has seen it; None where there is none. Raises NotApplied where it does not."""
    if find_workload(environment) is None:
        return None
    live, deadline = connect_system(environment), environment.canary.weight_deadline
    return live.wait_until(live.read, why_not_observed, "the Rollout to be observed", deadline=deadline)


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
    live = connect_system(environment)
    if (moved := why_left(abandoned, live.read())) is not None:
        raise Refused(f"Meanwhile what release {abandoned.number} left was moved. {moved}.")
    progress(f"Release {abandoned.number} did not end: its canary is taken back.")
    with telling_where_traffic_is(live):
        return return_to(live, release, abandoned.stable_hash)


def recovered(environment: Environment, release: Release, abandoned: Abandoned, seen: str) -> str:
    """The end of a recovery, told to the environment's channels: the release that died told them nothing."""
    died = f"Release {abandoned.number} did not end; its canary was taken back, as release {release.number}."
    kept = describe_kept(read_journal(environment, abandoned.number))
    sentence = join_sentences([died, seen, kept])
    tell(environment, release.number, COMPLETED.state_name, sentence)
    return sentence
