"""The recovery of an orphaned release: find it after its lock has expired, and roll back its canary."""

import time
from dataclasses import dataclass

from prefect import task
from prefect.client.schemas import State
from prefect.states import Completed

from delivery.context import ReleaseContext
from delivery.environment import Environment, OnOrphaned
from delivery.errors import Refused, Unfinished
from delivery.journal.lock import SKEW, LockState
from delivery.outcome import COMPLETED, NOTHING_TO_DO, UNFINISHED
from delivery.rollback.compensation import describe_kept, join_sentences
from delivery.rollback.recovery import (
    OrphanedRelease,
    describe_death,
    find_orphaned,
    has_no_traffic_effect,
    why_not_observed,
    why_not_recoverable,
)
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.application.planning import find_rollout
from tasks.rollback.notifications import try_to_notify
from tasks.rollback.rollback import ROLLBACK_RETRIES, reporting_traffic, restore_revision_by_hash
from tasks.rollout.describe import describe_traffic_state
from tasks.rollout.live import connect_rollout
from tasks.runs.log import progress
from tasks.state.journal import list_numbers, read_journal
from tasks.state.leases import monotonic_now, system_now
from tasks.state.lock import pause_between_reads, read_lock

LEASES_WAITED = 2


@dataclass(frozen=True)
class RecoveryCandidate:
    """orphaned: the release whose canary to roll back; None if there is none. artifact_digest: of the stable revision.
    sentence: what was found.
    """

    orphaned: OrphanedRelease | None
    artifact_digest: str
    sentence: str


@task(**ROLLBACK_RETRIES, task_run_name="find an orphaned release in {environment.name}")
def find_orphaned_canary(environment: Environment, *, wait: bool = True) -> RecoveryCandidate:
    """The release whose canary to roll back, once no process has the lock.

    wait: for the lock of a process that died to expire. Raises Unfinished if a person must decide, after it notified
    the channels.
    """
    return find_candidate(environment, wait=wait)


def find_candidate(environment: Environment, *, wait: bool = True) -> RecoveryCandidate:
    lock = wait_for_unlock(environment, wait=wait)
    if lock is not None:
        return RecoveryCandidate(None, "", f"{environment.name} is locked by {lock.describe()}. Nothing was changed.")
    orphaned = newest_orphaned(environment)
    try:
        return judge_candidate(environment, orphaned)
    except Unfinished as why:
        # The process of the orphaned release died before it notified the channels.
        if orphaned is not None:
            try_to_notify(environment, orphaned.number, UNFINISHED.state_name, str(why))
        raise


def wait_for_unlock(environment: Environment, *, wait: bool) -> LockState | None:
    """The lock, if it is still valid after two of its leases: its process is alive. None once it is over."""
    began = monotonic_now()
    while (lock := read_lock(environment)) is not None and not lock.is_over(system_now()):
        if not wait or monotonic_now() - began >= LEASES_WAITED * lock.holder.lease + SKEW:
            return lock
        time.sleep(pause_between_reads(lock.holder.lease).total_seconds())
    return None


def newest_orphaned(environment: Environment, before: int | None = None) -> OrphanedRelease | None:
    """The newest release that changed the traffic, if it is orphaned. before: only releases with a lower number."""
    for number in reversed(list_numbers(environment)):
        if before is not None and number >= before:
            continue
        journal = read_journal(environment, number)
        if not has_no_traffic_effect(journal):
            return find_orphaned(number, journal)
    return None


def judge_candidate(environment: Environment, orphaned: OrphanedRelease | None) -> RecoveryCandidate:
    """Decide by the Rollout as it is now: a journal does not show whether a canary is still in progress."""
    snapshot = wait_until_observed(environment)
    if snapshot is None or not snapshot.is_unfinished:
        subject = f"{describe_death(orphaned)}, and no" if orphaned else "No"
        found = f"{subject} canary is in progress in {environment.name}."
        return RecoveryCandidate(None, "", f"{found} Nothing was changed.")
    live = connect_rollout(environment)
    if orphaned is None:
        found = f"A canary is in progress that no orphaned release created. {describe_traffic_state(live)}"
        return RecoveryCandidate(None, "", f"{found} Nothing was changed.")
    died = f"{describe_death(orphaned)}, and a canary is in progress."
    if (why := why_not_recoverable(environment.name, orphaned, snapshot)) is not None:
        raise Unfinished(f"{died} {why}. {describe_traffic_state(live)}")
    if environment.recovery.on_orphaned is OnOrphaned.LEAVE:
        raise Unfinished(
            f'{died} It was not rolled back, because [recovery] on_orphaned is "leave". {describe_traffic_state(live)}'
        )
    # The digest is only for the request of the recovery: the rollback does not use it.
    digest = snapshot.stable.artifact_digest if snapshot.stable else ""
    return RecoveryCandidate(orphaned, digest or orphaned.artifact_digest, died)


def wait_until_observed(environment: Environment) -> RolloutSnapshot | None:
    """The Rollout once its controller has observed it; None if it does not exist. Raises NotApplied at the deadline."""
    if find_rollout(environment) is None:
        return None
    live, deadline = connect_rollout(environment), environment.canary.weight_deadline
    return live.wait_until(live.read, why_not_observed, "the Rollout to be observed", deadline=deadline)


def nothing_to_recover(candidate: RecoveryCandidate) -> State:
    """The final state of a recovery that has nothing to do. It did not acquire the lock and has no number."""
    return Completed(name=NOTHING_TO_DO.state_name, message=candidate.sentence)


@task(**ROLLBACK_RETRIES, task_run_name="roll back the canary of release {orphaned.number}")
def roll_back_orphaned(context: ReleaseContext, orphaned: OrphanedRelease) -> str:
    """Give all traffic to the revision that the orphaned release found. Return a sentence about it.

    Raises Refused if another process changed the Rollout before this one acquired the lock, and otherwise the same
    errors as roll_back_application.
    """
    environment = context.environment
    before_lock = "before this recovery acquired the lock"
    if newest_orphaned(environment, context.release.number) != orphaned:
        raise Refused(f"A release newer than release {orphaned.number} changed the Rollout {before_lock}.")
    live = connect_rollout(environment)
    if (why := why_not_recoverable(environment.name, orphaned, live.read())) is not None:
        raise Refused(f"The Rollout changed {before_lock}. {why}.")
    progress(f"{describe_death(orphaned)}. Rolling back its canary.")
    with reporting_traffic(live):
        return restore_revision_by_hash(live, context, orphaned.stable_hash)


def notify_recovery(context: ReleaseContext, orphaned: OrphanedRelease, rollback: str) -> str:
    """Notify the channels of the recovery, and return its last message. rollback: the sentence of the rollback.

    The process of the orphaned release did not notify them. The changes that stay are those of the orphaned release.
    """
    number = context.release.number
    recovery = f"{describe_death(orphaned)}. Its canary was rolled back by the recovery (release {number})."
    kept = describe_kept(read_journal(context.environment, orphaned.number), f"release {orphaned.number}")
    message = join_sentences([recovery, rollback, kept])
    try_to_notify(context.environment, number, COMPLETED.state_name, message)
    return message
