"""Acquires, checks and releases the lock on an environment, so that only one release at a time changes it."""

import getpass
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from prefect.runtime import flow_run

from clients.store import open_state
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import DeliveryError, LockTaken, StopRequested
from delivery.journal.ending import end_of_release
from delivery.journal.lock import LockHolder, LockState, Stop, describe_expired, describe_stop
from delivery.journal.step_names import LOCK
from delivery.release import Event, ReleaseRequest, last_step
from tasks.runs.log import progress
from tasks.state.journal import append, read_journal, reserve_number
from tasks.state.leases import Lease, acquire_lease, lease_of, lock_folder, monotonic_now, read_latest_lock, system_now

Now = Callable[[], datetime]
LONGEST_POLL = timedelta(seconds=5)


@contextmanager
def lock_environment(
    environment: Environment,
    artifact_digest: str,
    plan_hash: str | None,
    reason: str,
    *,
    wait: bool = True,
    recovers: int | None = None,
    now: Now = system_now,
) -> Iterator[ReleaseContext]:
    """This process has the lock within the block. A thread renews the lock, and it is released after the block.

    The end of the release is recorded in its journal: the error that leaves the block, or the last notification.

    plan_hash: None if there is no plan. wait: whether to wait for the lock of another process, at most `[lock] wait`.
    recovers: number of the release whose canary is rolled back. Raises LockTaken. If the process is killed, the lock
    is valid until its lease expires, because threads of the process may still run.
    """
    request = ReleaseRequest(artifact_digest=artifact_digest, plan_hash=plan_hash, reason=reason, recovers=recovers)
    previous, lease = acquire_lock(environment, artifact_digest, reason, wait=wait, now=now)
    context = _begin(environment, lease, request, previous)
    with _ending(context, lease):
        yield context


def acquire_lock(
    environment: Environment, artifact_digest: str, reason: str, *, wait: bool, now: Now
) -> tuple[LockState | None, Lease]:
    """The previous lock, which is over, and the lease of this process in the next epoch."""
    deadline = monotonic_now() + (environment.lock.wait if wait else timedelta())
    store = open_state(environment)
    waited_for = None
    while True:
        refuse_stopped(environment)
        found = read_latest_lock(store, environment.name)
        if found is None or found.is_over(now()):
            holder = _holder(environment, artifact_digest, reason)
            if lease := acquire_lease(store, environment.name, found.epoch + 1 if found else 1, holder):
                return found, lease
            continue
        waited_for = _wait_for(found, waited_for, deadline, environment.lock.lease)


def require_lock(context: ReleaseContext) -> None:
    """Raises LockLost or StopRequested: no further effect may start."""
    lease_of(context).ensure(context.release)


def read_lock(environment: Environment) -> LockState | None:
    """The lock of the latest epoch, which may be over; None before the first release."""
    return read_latest_lock(open_state(environment), environment.name)


def request_stop(environment: Environment, who: str, why: str) -> LockState | None:
    """Store a stop request for the release that has the lock, and return its lock. None if no release has the lock."""
    lock = read_lock(environment)
    if lock is None or lock.is_over(system_now()):
        return None
    _store_stop(environment, f"{lock_folder(environment.name, lock.epoch)}/stop.json", who, why)
    return lock


def request_stop_of_run(environment: Environment, run: str, who: str, why: str) -> None:
    """Store a stop request for a run that does not have the lock yet. run: its id in Prefect."""
    _store_stop(environment, stop_key(environment, run), who, why)


def refuse_stopped(environment: Environment) -> None:
    """Raises StopRequested if this run was asked to stop while it planned or waited for the lock."""
    store = open_state(environment)
    if stored := store.find(stop_key(environment, str(flow_run.id))):
        stop = Stop.model_validate_json(stored)
        raise StopRequested(describe_stop(stop, "Nothing was changed. Start it again after the reason is resolved."))


def stop_key(environment: Environment, run: str) -> str:
    return f"stops/{environment.name}/{run}.json"


def _store_stop(environment: Environment, key: str, who: str, why: str) -> None:
    open_state(environment).create(key, Stop(who=who, why=why).model_dump_json().encode())


def _wait_for(found: LockState, waited_for: int | None, deadline: timedelta, lease: timedelta) -> int:
    """The epoch that was waited for. Logged once for each epoch."""
    name = found.environment
    if monotonic_now() >= deadline:
        raise LockTaken(
            f"{name} is locked by {found.describe()}. Nothing was changed. Try again when that release has ended. "
            f"To stop it: slipway stop {name} --reason TEXT"
        )
    if found.epoch != waited_for:
        progress(f"{name} is locked by {found.describe()}. Waiting for the lock.")
    time.sleep(pause_between_reads(lease).total_seconds())
    return found.epoch


def pause_between_reads(lease: timedelta) -> timedelta:
    """Between two reads of the lock of another process."""
    return min(LONGEST_POLL, lease / 6)


def _begin(
    environment: Environment, lease: Lease, request: ReleaseRequest, previous: LockState | None
) -> ReleaseContext:
    """The release with its number, which is stored with the lock and in its journal. An error releases the lock."""
    own = {"lock_epoch": lease.epoch, "flow_run": flow_run.id, "nonce": uuid.uuid4().hex[:12]}
    try:
        # The stop request may have been stored while this run acquired the lock.
        refuse_stopped(environment)
        return _begin_release(environment, lease, request.model_copy(update=own), previous)
    except BaseException:
        _release(lease)
        raise


def _begin_release(
    environment: Environment, lease: Lease, request: ReleaseRequest, previous: LockState | None
) -> ReleaseContext:
    """request: with the epoch of the lease."""
    number = reserve_number(environment, request)
    key = f"{lock_folder(environment.name, lease.epoch)}/release.json"
    open_state(environment).create(key, json.dumps({"number": number}).encode())
    context = ReleaseContext(environment, request.to_release(environment.name, number))
    found = _describe_previous(environment, previous)
    if found:
        progress(found)
    progress(f"Acquired the lock on {environment.name} as release {number}.")
    append(context, LOCK, Event.STARTED, request.model_dump() | ({"found": found} if found else {}))
    return context


def _describe_previous(environment: Environment, previous: LockState | None) -> str | None:
    number = previous.number if previous else None
    return describe_expired(previous, last_step(read_journal(environment, number)) if number else None)


@contextmanager
def _ending(context: ReleaseContext, lease: Lease) -> Iterator[None]:
    """Around the release: its end is recorded, unless the process is killed."""
    try:
        yield
    except Exception as error:
        _end(context, lease, error)
        raise
    except BaseException:
        lease.end()
        raise
    _end(context, lease, None)


def _end(context: ReleaseContext, lease: Lease, error: Exception | None) -> None:
    """Append the last record to the journal, then release the lock. A failure of either does not replace the error."""
    environment, number = context.environment, context.release.number
    try:
        end = end_of_release(environment.name, number, read_journal(environment, number), error)
        append(context, LOCK, Event.ENDED, end.detail())
    except DeliveryError as failure:
        progress(
            f"The end of release {number} could not be recorded in its journal: {failure} slipway status shows no end "
            "for it."
        )
    _release(lease)


def _release(lease: Lease) -> None:
    """Release the lock. If the store does not answer, the lock expires, and the end of the release stays the same."""
    try:
        lease.release()
    except DeliveryError as error:
        progress(f"The lock could not be released. It expires with its lease. {error}")


def _holder(environment: Environment, artifact_digest: str, reason: str) -> LockHolder:
    return LockHolder(
        who=f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}",
        why=reason,
        since=system_now(),
        artifact_digest=artifact_digest,
        lease=environment.lock.lease,
        token=uuid.uuid4().hex,
    )
