"""A lease on an environment: what the store shows of it, and the thread that renews ours."""

import json
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from clients.store import ObjectStore
from delivery.environment import Environment
from delivery.errors import DeliveryError, LockLost, StopRequested
from delivery.journal.lock import LockHolder, LockState, Stop, describe_stop
from delivery.release import Release

# Counts through a suspended machine, unlike Linux's monotonic clock.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
RENEWALS_PER_LEASE = 3
RETRIES_PER_RENEWAL = 10
GO_ON = "No further step was started; start the release again, it goes on from what is there."

_leases: dict[tuple[str, str, int], "Lease"] = {}


class Lease:
    """Ours from taking to giving back. A thread renews it; `ensure` says whether it still counts."""

    def __init__(self, store: ObjectStore, environment: str, epoch: int, length: timedelta, taken: timedelta) -> None:
        self.epoch = epoch
        self._store = store
        self._environment = environment
        self._length = length
        self._renewed = taken
        self._kept = 1
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"hold of {environment}", daemon=True)

    def start(self) -> None:
        _leases[self._store.url, self._environment, self.epoch] = self
        self._thread.start()

    def end(self) -> None:
        """No effect starts from here on. The hold is left to run out unless it is given back."""
        self._ended.set()
        self._thread.join(self._length.total_seconds())
        _leases.pop((self._store.url, self._environment, self.epoch), None)

    def give_back(self) -> None:
        self.end()
        self._store.create(f"{lock_folder(self._environment, self.epoch)}/released.json", b"{}")

    def ensure(self) -> None:
        """Raises LockLost or StopRequested, which both mean: no further effect."""
        if self._ended.is_set() or elapsed() - self._renewed >= self._length:
            raise LockLost(f"The hold of {self._environment} has ended or could not be renewed in time. {GO_ON}")
        lock = observe_lock(self._store, self._environment)
        if lock is None or lock.epoch != self.epoch:
            raise LockLost(f"Meanwhile the environment was taken: {lock.describe() if lock else ''}. {GO_ON}")
        if stop := lock.stop:
            raise StopRequested(describe_stop(stop, GO_ON))

    def _renew(self) -> None:
        """Until the lease has ended, or has run out: then it may be somebody else's already."""
        sequence, usual = 1, self._length.total_seconds() / RENEWALS_PER_LEASE
        pause = usual
        while not self._ended.wait(pause):
            if elapsed() - self._renewed >= self._length:
                return
            is_created = self._renew_once(self._renewal(sequence))
            sequence += is_created is not None
            # What does not count is asked for again soon: the lease has time for few that take long.
            pause = usual if is_created else usual / RETRIES_PER_RENEWAL
            if is_created:
                self._forget_renewals(before=sequence - 1)

    def _renew_once(self, key: str) -> bool | None:
        """Whether the object was created, by a lease that counts from before the request was sent; None: no answer.

        One that was there already is ours from a request whose answer was lost: its time stamp is an older one.
        """
        asked = elapsed()
        try:
            is_created = self._store.create(key, b"{}")
        except DeliveryError:
            return None
        self._renewed = asked if is_created else self._renewed
        return is_created

    def _forget_renewals(self, before: int) -> None:
        """The newest one tells all; the first object, 0.json, says who holds. What cannot be deleted now is later."""
        with suppress(DeliveryError):
            while self._kept < before:
                self._store.delete(self._renewal(self._kept))
                self._kept += 1

    def _renewal(self, sequence: int) -> str:
        return f"{lock_folder(self._environment, self.epoch)}/{sequence}.json"


def lease_of(environment: Environment, release: Release) -> Lease:
    """This process's lease for the release. Raises LockLost where it has none."""
    lease = _leases.get((environment.state.url, environment.name, release.lock_epoch))
    if lease is None:
        raise LockLost(f"This process does not hold {environment.name} for release {release.number}. {GO_ON}")
    return lease


def take_lease(store: ObjectStore, environment: str, epoch: int, holder: LockHolder) -> Lease | None:
    """The lease of the epoch, started; None where somebody else was first."""
    asked = elapsed()
    if not store.create_own(f"{lock_folder(environment, epoch)}/0.json", holder.model_dump_json().encode()):
        return None
    lease = Lease(store, environment, epoch, holder.lease, asked)
    lease.start()
    return lease


def observe_lock(store: ObjectStore, environment: str) -> LockState | None:
    """The latest hold, whether it counts or is over; None before the first."""
    epochs = sorted((int(name) for name in store.folders(f"holds/{environment}") if name.isdigit()), reverse=True)
    # A folder without 0.json was left by a process that died while it took the epoch: the epoch is still free.
    return next((lock for epoch in epochs if (lock := _read_epoch(store, environment, epoch))), None)


def _read_epoch(store: ObjectStore, environment: str, epoch: int) -> LockState | None:
    folder = lock_folder(environment, epoch)
    modified = {item.key.rsplit("/", 1)[-1]: item.modified for item in store.list(folder)}
    if "0.json" not in modified:
        return None
    return LockState(
        environment=environment,
        epoch=epoch,
        holder=LockHolder.model_validate_json(store.read(f"{folder}/0.json")),
        renewed_at=max(at for name, at in modified.items() if name.removesuffix(".json").isdigit()),
        is_released="released.json" in modified,
        stop=Stop.model_validate_json(store.read(f"{folder}/stop.json")) if "stop.json" in modified else None,
        number=json.loads(store.read(f"{folder}/release.json"))["number"] if "release.json" in modified else None,
    )


def lock_folder(environment: str, epoch: int) -> str:
    return f"holds/{environment}/{epoch}"


def system_now() -> datetime:
    return datetime.now(UTC)


def elapsed() -> timedelta:
    return timedelta(seconds=time.clock_gettime(CLOCK))
