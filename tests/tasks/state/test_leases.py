"""A hold is renewed for as long as its holder lives, and ends where it cannot be."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clients.store import ObjectStore, open_state
from delivery.environment import Environment
from delivery.errors import LockLost, Unavailable
from delivery.journal.lock import LockHolder
from sandbox.testing import eventually
from tasks.state.leases import take_lease
from tasks.state.lock import ensure_locked, lock_environment, read_lock
from tests.environments import production

DIGEST = "sha256:" + "a" * 64
SHORT = timedelta(seconds=2)


def test_a_hold_outlasts_its_lease_while_its_holder_lives(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "keep") as release:
        first = read_lock(environment)
        eventually(lambda: renewed_since(environment, first.renewed_at if first else None, 2 * SHORT))
        ensure_locked(environment, release)


def renewed_since(environment: Environment, start: datetime | None, by: timedelta) -> bool:
    lock = read_lock(environment)
    return lock is not None and start is not None and lock.renewed_at > start + by


def test_a_holder_that_cannot_renew_stops_when_its_lease_is_over(tmp_path: Path) -> None:
    environment = production(tmp_path / "store", lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "cut off") as release:
        cut_off(tmp_path / "store", release.lock_epoch)
        eventually(lambda: is_lost(environment, release))


class DeafStore(ObjectStore):
    """Answers no renewal but the third one that is asked for. asked: when, in seconds."""

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


def test_a_renewal_without_an_answer_is_asked_for_again_well_within_the_lease(tmp_path: Path) -> None:
    lease_of_6s = timedelta(seconds=6)
    holder = LockHolder(
        who="ana", why="", since=datetime.now(UTC), artifact_digest=DIGEST, lease=lease_of_6s, token="t"
    )
    store = DeafStore(tmp_path)
    lease = take_lease(store, "production", 1, holder)
    assert lease is not None
    eventually(lambda: len(store.asked) == 3)
    lease.end()
    assert store.asked[2] - store.asked[0] < 2.0


def cut_off(store: Path, epoch: int) -> None:
    """No renewal can be written: a file stands where the hold's folder was."""
    folder = store / "holds" / "production" / str(epoch)
    folder.rename(folder.with_name("away"))
    folder.touch()


def is_lost(environment: Environment, release: object) -> bool:
    try:
        ensure_locked(environment, release)  # pyright: ignore[reportArgumentType]
    except LockLost as error:
        return "could not be renewed" in str(error)
    return False


def test_a_hold_that_is_kept_for_long_leaves_two_objects_and_its_newest_sign(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "keep") as release:
        eventually(lambda: newest_renewal(environment) >= 6)
        eventually(lambda: len(renewals(environment)) <= 2)
        ensure_locked(environment, release)
    assert "0" in names_in_hold(environment)


def names_in_hold(environment: Environment) -> list[str]:
    return [Path(item.key).stem for item in open_state(environment).list("holds/production/1")]


def renewals(environment: Environment) -> list[int]:
    return [int(name) for name in names_in_hold(environment) if name.isdigit() and name != "0"]


def newest_renewal(environment: Environment) -> int:
    return max(renewals(environment), default=0)


def test_a_hold_whose_renewals_cannot_be_deleted_is_kept(tmp_path: Path) -> None:
    environment = production(tmp_path, lease=SHORT)
    with lock_environment(environment, DIGEST, "hash", "keep") as release:
        # A folder of that name is no object: it can be listed past and not deleted.
        (tmp_path / "holds" / "production" / "1" / "1.json").mkdir()
        eventually(lambda: newest_renewal(environment) >= 5)
        ensure_locked(environment, release)
