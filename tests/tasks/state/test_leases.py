"""A lock is renewed while its process lives, and expires if it cannot be renewed."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clients.store import ObjectStore, open_state
from delivery.context import ReleaseContext
from delivery.environment import Environment
from delivery.errors import LockLost, Unavailable
from delivery.journal.lock import LockHolder
from sandbox.testing import eventually
from tasks.state.leases import acquire_lease
from tasks.state.lock import lock_environment, read_lock, require_lock
from tests.environments import production

DIGEST = "sha256:" + "a" * 64
SHORT = timedelta(seconds=2)


def test_a_lock_outlasts_its_lease_while_its_process_lives(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "keep") as context:
        first = read_lock(environment)
        eventually(lambda: renewed_since(environment, first.renewed_at if first else None, 2 * SHORT))
        require_lock(context)


def renewed_since(environment: Environment, start: datetime | None, by: timedelta) -> bool:
    lock = read_lock(environment)
    return lock is not None and start is not None and lock.renewed_at > start + by


def test_a_process_that_cannot_renew_loses_the_lock_when_the_lease_expires(tmp_path: Path) -> None:
    environment = production(tmp_path / "store", lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "cut off") as context:
        cut_off(tmp_path / "store", context.release.lock_epoch)
        eventually(lambda: is_lost(environment, context.release))


class SilentStore(ObjectStore):
    """Does not answer the first two requests for the first renewal. asked: when each request came, in seconds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), "us-east-1")
        self.asked: list[float] = []

    def create(self, key: str, data: bytes) -> bool:
        if not key.endswith("/1.json"):
            return super().create(key, data)
        self.asked.append(time.monotonic())
        if len(self.asked) < 3:
            raise Unavailable("It is away.")
        return super().create(key, data)


def test_a_renewal_without_an_answer_is_retried_well_within_the_lease(tmp_path: Path) -> None:
    lease_of_6s = timedelta(seconds=6)
    holder = LockHolder(
        who="ana", why="", since=datetime.now(UTC), artifact_digest=DIGEST, lease=lease_of_6s, token="t"
    )
    store = SilentStore(tmp_path)
    lease = acquire_lease(store, "production", 1, holder)
    assert lease is not None
    eventually(lambda: len(store.asked) == 3)
    lease.end()
    assert store.asked[2] - store.asked[0] < 2.0


def cut_off(store: Path, epoch: int) -> None:
    """No renewal can be stored: the folder of the lock is replaced by a file."""
    folder = store / "holds" / "production" / str(epoch)
    folder.rename(folder.with_name("away"))
    folder.touch()


def is_lost(environment: Environment, release: object) -> bool:
    try:
        require_lock(ReleaseContext(environment, release))  # pyright: ignore[reportArgumentType]
    except LockLost as error:
        return "could not be renewed" in str(error)
    return False


def test_a_lock_that_is_renewed_often_has_two_renewals_at_most_and_its_first_object(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "keep") as context:
        eventually(lambda: newest_renewal(environment) >= 6)
        eventually(lambda: len(renewals(environment)) <= 2)
        require_lock(context)
    assert "0" in names_in_lock(environment)


def names_in_lock(environment: Environment) -> list[str]:
    return [Path(item.key).stem for item in open_state(environment).list("holds/production/1")]


def renewals(environment: Environment) -> list[int]:
    return [int(name) for name in names_in_lock(environment) if name.isdigit() and name != "0"]


def newest_renewal(environment: Environment) -> int:
    return max(renewals(environment), default=0)


def test_a_lock_whose_renewals_cannot_be_deleted_stays_valid(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "keep") as context:
        # A folder with this name is not an object: it is not listed, and cannot be deleted.
        (tmp_path / "holds" / "production" / "1" / "1.json").mkdir()
        eventually(lambda: newest_renewal(environment) >= 5)
        require_lock(context)
