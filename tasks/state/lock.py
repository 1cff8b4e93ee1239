"""Taking an environment, keeping it and giving it back, so that one release at a time changes it."""

import getpass
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from prefect.runtime import flow_run

from clients.store import open_state
from delivery.environment import Environment
from delivery.errors import DeliveryError, LockLost, LockTaken, StopRequested
from delivery.journal.lock import LockHolder, LockState, Stop, describe_found, describe_stop
from delivery.journal.notices import read_notices
from delivery.journal.step_names import LOCK
from delivery.outcome import COMPLETED, outcome_of
from delivery.release import LOCK_LOST, Event, Record, Release, has_effects, last_step
from tasks.runs.log import progress
from tasks.state.journal import append, read_journal, take_number
from tasks.state.leases import Lease, elapsed, lease_of, lock_folder, observe_lock, system_now, take_lease

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
) -> Iterator[Release]:
    """The environment is this process's within the block; it is renewed by a thread and given back at the end.

    The release's end goes into its journal: how it ended, by the error that leaves the block, and its last notice.

    plan_hash: None where nothing was planned. wait: up to the environment's `lock.wait` for whoever holds it.
    recovers: the number of the release whose canary is taken back. Raises LockTaken. A process that is ended from
    outside keeps the hold until its lease is over, because its threads may still be at work.
    """
    previous, lease = take_environment(environment, artifact_digest, reason, wait=wait, now=now)
    request = {"artifact_digest": artifact_digest, "plan_hash": plan_hash, "reason": reason, "recovers": recovers}
    release = _begin(environment, lease, request, previous)
    with _ending(environment, release, lease):
        yield release


def take_environment(
    environment: Environment, artifact_digest: str, reason: str, *, wait: bool, now: Now
) -> tuple[LockState | None, Lease]:
    """The hold that was there before, over by now, and our lease on the next epoch."""
    deadline = elapsed() + (environment.lock.wait if wait else timedelta())
    store = open_state(environment)
    waited_for = None
    while True:
        refuse_stopped(environment)
        found = observe_lock(store, environment.name)
        if found is None or found.is_over(now()):
            holder = _holder(environment, artifact_digest, reason)
            if lease := take_lease(store, environment.name, found.epoch + 1 if found else 1, holder):
                return found, lease
            continue
        waited_for = _wait_for(found, waited_for, deadline, environment.lock.lease)


def ensure_locked(environment: Environment, release: Release) -> None:
    """Raises LockLost or StopRequested: no further effect may start."""
    lease_of(environment, release).ensure()


def read_lock(environment: Environment) -> LockState | None:
    """The latest hold, whether it counts or is over; None before the first."""
    return observe_lock(open_state(environment), environment.name)


def request_stop(environment: Environment, who: str, why: str) -> LockState | None:
    """Asks the holder to stop at its next safe point, and says who that is; None where nobody holds it."""
    lock = read_lock(environment)
    if lock is None or lock.is_over(system_now()):
        return None
    _leave_word(environment, f"{lock_folder(environment.name, lock.epoch)}/stop.json", who, why)
    return lock


def request_stop_of_run(environment: Environment, run: str, who: str, why: str) -> None:
    """Asks a run that holds nothing yet to stop before it does. run: its id in Prefect."""
    _leave_word(environment, stop_key(environment, run), who, why)


def refuse_stopped(environment: Environment) -> None:
    """Raises StopRequested where somebody asked this run to stop while it planned, or waited for another one."""
    store = open_state(environment)
    if asked := store.find(stop_key(environment, str(flow_run.id))):
        stop = Stop.model_validate_json(asked)
        raise StopRequested(describe_stop(stop, "Nothing was begun; start it again when it may go on."))


def stop_key(environment: Environment, run: str) -> str:
    return f"stops/{environment.name}/{run}.json"


def _leave_word(environment: Environment, key: str, who: str, why: str) -> None:
    word = Stop(who=who, why=why).model_dump_json().encode()
    open_state(environment).create(key, word)


def _wait_for(found: LockState, waited_for: int | None, deadline: timedelta, lease: timedelta) -> int:
    """The epoch waited for; said once for each holder."""
    if elapsed() >= deadline:
        raise LockTaken(
            f"{found.describe()}, holds the environment. Nothing was touched. Try again when it has ended. To end it "
            f"sooner: slipway stop {found.environment} --reason WHY."
        )
    if found.epoch != waited_for:
        progress(f"Waiting for {found.describe()}")
    time.sleep(pause_between_reads(lease).total_seconds())
    return found.epoch


def pause_between_reads(lease: timedelta) -> timedelta:
    """At a hold that is somebody else's."""
    return min(LONGEST_POLL, lease / 6)


def _begin(environment: Environment, lease: Lease, request: dict[str, Any], previous: LockState | None) -> Release:
    """The release with its number, told to the hold and to its journal. What keeps it from that gives the hold back."""
    whose = {"lock_epoch": lease.epoch, "flow_run": flow_run.id, "nonce": uuid.uuid4().hex[:12]}
    try:
        # Who was asked to stop may have taken the environment at the same moment.
        refuse_stopped(environment)
        return _begin_release(environment, request | whose, previous)
    except BaseException:
        _give_back(lease)
        raise


def _begin_release(environment: Environment, request: dict[str, Any], previous: LockState | None) -> Release:
    """request: with the epoch of our hold."""
    number = take_number(environment, request)
    key = f"{lock_folder(environment.name, request['lock_epoch'])}/release.json"
    open_state(environment).create(key, json.dumps({"number": number}).encode())
    release = Release.model_validate(request | {"environment": environment.name, "number": number})
    found = _describe_previous(environment, previous)
    if found:
        progress(found)
    append(environment, release, LOCK, Event.STARTED, request | ({"found": found} if found else {}))
    return release


def _describe_previous(environment: Environment, previous: LockState | None) -> str | None:
    number = previous.number if previous else None
    return describe_found(previous, last_step(read_journal(environment, number)) if number else None)


@contextmanager
def _ending(environment: Environment, release: Release, lease: Lease) -> Iterator[None]:
    """Around the release: its end is written, whatever it is, unless the process is ended from outside."""
    try:
        yield
    except Exception as error:
        _end(environment, release, lease, error)
        raise
    except BaseException:
        lease.end()
        raise
    _end(environment, release, lease, None)


def _end(environment: Environment, release: Release, lease: Lease, error: Exception | None) -> None:
    """The journal's last record, then the hold is free. Neither hides how the release ended."""
    try:
        journal = read_journal(environment, release.number)
        append(environment, release, LOCK, Event.ENDED, ending_of(environment.name, release.number, journal, error))
    except DeliveryError as unwritten:
        progress(f"The release's end could not be written to its journal: {unwritten}")
    _give_back(lease)


def ending_of(environment: str, number: int, journal: tuple[Record, ...], error: Exception | None) -> dict[str, Any]:
    """The name of the run's final state, and the sentence about it; whether the hold was lost."""
    if isinstance(error, DeliveryError):
        lost = {LOCK_LOST: True} if isinstance(error, LockLost) else {}
        return {"outcome": outcome_of(error, has_effects(journal)).state_name, "message": str(error), **lost}
    if error is not None:
        return {"outcome": "Failed", "message": f"{type(error).__name__}: {error}"}
    notices = read_notices(environment, number, journal)
    return {"outcome": COMPLETED.state_name, "message": notices[-1].text if notices else ""}


def _give_back(lease: Lease) -> None:
    """A store that is away does not hide how the release ended: the lease runs out by itself."""
    try:
        lease.give_back()
    except DeliveryError as error:
        progress(f"The environment could not be given back, its lease runs out by itself: {error}")


def _holder(environment: Environment, artifact_digest: str, reason: str) -> LockHolder:
    return LockHolder(
        who=f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})",
        why=reason,
        since=system_now(),
        artifact_digest=artifact_digest,
        lease=environment.lock.lease,
        token=uuid.uuid4().hex,
    )
