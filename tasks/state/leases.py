"""The lease of a lock: what the store shows of the latest lock, and the thread that renews the lock of this process."""

import json
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from clients.store import ObjectStore
from delivery.context import ReleaseContext
from delivery.errors import DeliveryError, LockLost, StopRequested
from delivery.journal.lock import LockHolder, LockState, Stop, describe_halt, describe_stop
from delivery.release import Release

# Includes the time in which the machine is suspended, unlike Linux's monotonic clock.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
RENEWALS_PER_LEASE = 3
RETRIES_PER_RENEWAL = 10

_leases: dict[tuple[str, str, int], "Lease"] = {}


class Lease:
    """The lock of this process, from its acquisition to its release. A thread renews it; `ensure` checks it."""

    def __init__(
        self, store: ObjectStore, environment_name: str, epoch: int, length: timedelta, acquired: timedelta
    ) -> None:
        self.epoch = epoch
        self._store = store
        self._environment_name = environment_name
        self._length = length
        self._renewed = acquired
        self._oldest_renewal = 1
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lock on {environment_name}", daemon=True)

    def start(self) -> None:
        _leases[self._store.url, self._environment_name, self.epoch] = self
        self._thread.start()

    def end(self) -> None:
        """No effect starts after this. The lock expires, unless it is released."""
        self._ended.set()
        self._thread.join(self._length.total_seconds())
        _leases.pop((self._store.url, self._environment_name, self.epoch), None)

    def release(self) -> None:
        self.end()
        self._store.create(f"{lock_folder(self._environment_name, self.epoch)}/released.json", b"{}")

    def ensure(self, release: Release) -> None:
        """Raises LockLost or StopRequested. Both mean that no further effect of the release may start."""
        name, halt = self._environment_name, describe_halt(release)
        if self._ended.is_set() or monotonic_now() - self._renewed >= self._length:
            raise LockLost(f"The lock on {name} was released or could not be renewed in time. {halt}")
        lock = read_latest_lock(self._store, name)
        if lock is None or lock.epoch != self.epoch:
            raise LockLost(f"Lost the lock on {name}{f' to {lock.describe()}' if lock else ''}. {halt}")
        if stop := lock.stop:
            raise StopRequested(describe_stop(stop, halt))

    def _renew(self) -> None:
        """Until the lease ends or expires. After that, the lock may belong to another process."""
        sequence, usual = 1, self._length.total_seconds() / RENEWALS_PER_LEASE
        pause = usual
        while not self._ended.wait(pause):
            if monotonic_now() - self._renewed >= self._length:
                return
            is_created = self._renew_once(self._renewal(sequence))
            sequence += is_created is not None
            # A failed renewal is retried soon: a lease has time for only a few slow requests.
            pause = usual if is_created else usual / RETRIES_PER_RENEWAL
            if is_created:
                self._delete_renewals(before=sequence - 1)

    def _renew_once(self, key: str) -> bool | None:
        """Whether the object was created; the lease then starts again when the request was sent. None: no answer.

        An object that exists already is of an earlier request without an answer. Its time stamp is older.
        """
        requested = monotonic_now()
        try:
            is_created = self._store.create(key, b"{}")
        except DeliveryError:
            return None
        self._renewed = requested if is_created else self._renewed
        return is_created

    def _delete_renewals(self, before: int) -> None:
        """Keep the newest renewal, and 0.json, which names the holder. A failed deletion is retried later."""
        with suppress(DeliveryError):
            while self._oldest_renewal < before:
                self._store.delete(self._renewal(self._oldest_renewal))
                self._oldest_renewal += 1

    def _renewal(self, sequence: int) -> str:
        return f"{lock_folder(self._environment_name, self.epoch)}/{sequence}.json"


def lease_of(context: ReleaseContext) -> Lease:
    """The lease of this process for the release. Raises LockLost if it has none."""
    environment, release = context.environment, context.release
    lease = _leases.get((environment.state.url, environment.name, release.lock_epoch))
    if lease is None:
        raise LockLost(
            f"This process does not have the lock on {environment.name} for release {release.number}. "
            f"{describe_halt(release)}"
        )
    return lease


def acquire_lease(store: ObjectStore, environment_name: str, epoch: int, holder: LockHolder) -> Lease | None:
    """The lease of the epoch, started; None if another process acquired the epoch first."""
    requested = monotonic_now()
    if not store.create_own(f"{lock_folder(environment_name, epoch)}/0.json", holder.model_dump_json().encode()):
        return None
    lease = Lease(store, environment_name, epoch, holder.lease, requested)
    lease.start()
    return lease


def read_latest_lock(store: ObjectStore, environment_name: str) -> LockState | None:
    """The lock of the latest epoch, which may be over; None before the first release."""
    epochs = sorted((int(name) for name in store.folders(f"holds/{environment_name}") if name.isdigit()), reverse=True)
    # The epoch of a folder without 0.json is free: a process died while it acquired the epoch.
    return next((lock for epoch in epochs if (lock := _read_epoch(store, environment_name, epoch))), None)


def _read_epoch(store: ObjectStore, environment_name: str, epoch: int) -> LockState | None:
    folder = lock_folder(environment_name, epoch)
    modified = {item.key.rsplit("/", 1)[-1]: item.modified for item in store.list(folder)}
    if "0.json" not in modified:
        return None
    return LockState(
        environment=environment_name,
        epoch=epoch,
        holder=LockHolder.model_validate_json(store.read(f"{folder}/0.json")),
        renewed_at=max(at for name, at in modified.items() if name.removesuffix(".json").isdigit()),
        is_released="released.json" in modified,
        stop=Stop.model_validate_json(store.read(f"{folder}/stop.json")) if "stop.json" in modified else None,
        number=json.loads(store.read(f"{folder}/release.json"))["number"] if "release.json" in modified else None,
    )


def lock_folder(environment_name: str, epoch: int) -> str:
    return f"holds/{environment_name}/{epoch}"


def system_now() -> datetime:
    return datetime.now(UTC)


def monotonic_now() -> timedelta:
    return timedelta(seconds=time.clock_gettime(CLOCK))
