"""A canary that nobody looks after any more: found once its release's hold is over, and taken back."""

import time
from dataclasses import dataclass

from prefect import task
from prefect.client.schemas import State
from prefect.states import Completed

from delivery.environment import Environment, OnOrphaned
from delivery.errors import Refused, Unfinished
from delivery.journal.lock import SKEW, LockState
from delivery.outcome import COMPLETED, NOTHING_TO_DO, UNFINISHED
from delivery.release import Release
from delivery.rollback.compensation import describe_kept, join_sentences
from delivery.rollback.recovery import (
    OrphanedRelease,
    find_orphaned,
    has_no_traffic_effect,
    why_not_observed,
    why_not_recoverable,
)
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.application.planning import find_workload
from tasks.rollback.outcomes import tell
from tasks.rollback.rollback import WAY_BACK, reporting_traffic, restore_revision_by_hash
from tasks.rollout.describe import describe_traffic_state
from tasks.rollout.live import connect_rollout
from tasks.runs.log import progress
from tasks.state.journal import list_numbers, read_journal
from tasks.state.leases import elapsed, system_now
from tasks.state.lock import pause_between_reads, read_lock

LEASES_WAITED = 2


@dataclass(frozen=True)
class RecoveryCandidate:
    """orphaned: the release whose canary is to be rolled back, None where there is none. artifact_digest: what is gone
    back to. sentence: what was found.
    """

    orphaned: OrphanedRelease | None
    artifact_digest: str
    sentence: str


@task(**WAY_BACK, task_run_name="look for what a release left in {environment.name}")
def find_orphaned_canary(environment: Environment, *, wait: bool = True) -> RecoveryCandidate:
    """What there is to recover, once nobody holds the environment.

    wait: for a process that died and whose hold counts still. Raises Unfinished, told to the environment's channels,
    where a person has to decide.
    """
    lock = wait_for_unlock(environment, wait=wait)
    if lock is not None:
        return RecoveryCandidate(
            None, "", f"{lock.describe()}, holds {environment.name} and sees to it. Nothing was touched."
        )
    orphaned = newest_orphaned(environment)
    try:
        return judge_candidate(environment, orphaned)
    except Unfinished as why:
        # The release that died told nobody.
        if orphaned is not None:
            tell(environment, orphaned.number, UNFINISHED.state_name, str(why))
        raise


def wait_for_unlock(environment: Environment, *, wait: bool) -> LockState | None:
    """Whoever holds it still after two of its leases; None once it is over. A process that died renews nothing."""
    began = elapsed()
    while (lock := read_lock(environment)) is not None and not lock.is_over(system_now()):
        if not wait or elapsed() - began >= LEASES_WAITED * lock.holder.lease + SKEW:
            return lock
        time.sleep(pause_between_reads(lock.holder.lease).total_seconds())
    return None


def newest_orphaned(environment: Environment, before: int | None = None) -> OrphanedRelease | None:
    """The newest release that touched the traffic, where nobody saw to its end. before: our own number."""
    for number in reversed(list_numbers(environment)):
        if before is not None and number >= before:
            continue
        journal = read_journal(environment, number)
        if not has_no_traffic_effect(journal):
            return find_orphaned(number, journal)
    return None


def judge_candidate(environment: Environment, orphaned: OrphanedRelease | None) -> RecoveryCandidate:
    """By the Rollout as it stands: a journal alone does not tell whether a canary is under way."""
    snapshot = observe_workload(environment)
    if snapshot is None or not snapshot.is_unfinished:
        died = f"Release {orphaned.number} did not end, and no" if orphaned else "No"
        return RecoveryCandidate(None, "", f"{died} canary is under way in {environment.name}. Nothing was touched.")
    live = connect_rollout(environment)
    if orphaned is None:
        left = f"No release died in the canary that is under way. {describe_traffic_state(live)} Nothing was touched."
        return RecoveryCandidate(None, "", left)
    died = f"Release {orphaned.number} did not end, and a canary is under way."
    if (why := why_not_recoverable(orphaned, snapshot)) is not None:
        raise Unfinished(f"{died} {why}. {describe_traffic_state(live)}")
    if environment.recovery.on_orphaned is OnOrphaned.LEAVE:
        raise Unfinished(f"{died} It is left, as [recovery] on_orphaned says. {describe_traffic_state(live)}")
    # The digest only names the recovery: an abort needs none.
    named = snapshot.stable.artifact_digest if snapshot.stable else ""
    return RecoveryCandidate(orphaned, named or orphaned.artifact_digest, died)


def observe_workload(environment: Environment) -> RolloutSnapshot | None:
    """The Rollout once its controller has seen it; None where there is none. Raises NotApplied where it does not."""
    if find_workload(environment) is None:
        return None
    live, deadline = connect_rollout(environment), environment.canary.weight_deadline
    return live.wait_until(live.read, why_not_observed, "the Rollout to be observed", deadline=deadline)


def nothing_to_recover(remains: RecoveryCandidate) -> State:
    """The end of a recovery that has nothing to do: no hold was taken, no release was counted."""
    return Completed(name=NOTHING_TO_DO.state_name, message=remains.sentence)


@task(**WAY_BACK, task_run_name="take the canary of release {orphaned.number} back")
def roll_back_orphaned(environment: Environment, release: Release, orphaned: OrphanedRelease) -> str:
    """All traffic at the revision that the dead release found; the sentence that says so.

    Raises Refused where somebody saw to it before the hold was ours, and otherwise as roll_back_application does.
    """
    if newest_orphaned(environment, release.number) != orphaned:
        raise Refused(f"Meanwhile somebody else went on from what release {orphaned.number} left.")
    live = connect_rollout(environment)
    if (moved := why_not_recoverable(orphaned, live.read())) is not None:
        raise Refused(f"Meanwhile what release {orphaned.number} left was moved. {moved}.")
    progress(f"Release {orphaned.number} did not end: its canary is taken back.")
    with reporting_traffic(live):
        return restore_revision_by_hash(live, release, orphaned.stable_hash)


def recovered(environment: Environment, release: Release, orphaned: OrphanedRelease, seen: str) -> str:
    """The end of a recovery, told to the environment's channels: the release that died told them nothing."""
    died = f"Release {orphaned.number} did not end; its canary was taken back, as release {release.number}."
    kept = describe_kept(read_journal(environment, orphaned.number))
    sentence = join_sentences([died, seen, kept])
    tell(environment, release.number, COMPLETED.state_name, sentence)
    return sentence
