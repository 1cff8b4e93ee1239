from datetime import UTC, datetime, timedelta

import pytest

from delivery.journal.lock import SKEW, LockHolder, LockState, describe_expired, describe_halt
from delivery.release import Release

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def lock_renewed(ago: timedelta, *, is_released: bool = False) -> LockState:
    holder = LockHolder(
        who="ana@desk, process 7", why="spring", since=NOW, artifact_digest="sha256:", lease=LEASE, token="t"
    )
    return LockState(
        environment="production", epoch=1, holder=holder, renewed_at=NOW - ago, is_released=is_released, number=3
    )


@pytest.mark.parametrize(
    ("ago", "is_over"),
    [(timedelta(), False), (LEASE, False), (LEASE + SKEW, False), (LEASE + SKEW + timedelta(microseconds=1), True)],
)
def test_a_lock_is_over_when_lease_and_skew_have_passed_since_its_renewal(ago: timedelta, is_over: bool) -> None:
    assert lock_renewed(ago).is_over(NOW) is is_over


def test_a_lock_that_was_renewed_by_a_clock_ahead_of_ours_is_still_valid() -> None:
    assert not lock_renewed(-SKEW).is_over(NOW)


def test_a_lock_that_was_released_is_over_at_once() -> None:
    assert lock_renewed(timedelta(), is_released=True).is_over(NOW)


def test_a_lock_is_described_by_its_release_its_holder_and_its_reason() -> None:
    lock = lock_renewed(timedelta())
    assert lock.describe() == "release 3 (ana@desk, process 7, since 2026-03-01 12:00:00 UTC, reason: spring)"
    unnumbered = lock.model_copy(update={"number": None, "holder": lock.holder.model_copy(update={"why": ""})})
    assert unnumbered.describe() == (
        "a release without a number yet (ana@desk, process 7, since 2026-03-01 12:00:00 UTC)"
    )


def test_the_next_release_logs_that_a_lock_expired() -> None:
    found = describe_expired(lock_renewed(timedelta(minutes=2)), None)
    assert found is not None
    assert found.startswith("The lock of release 3 (ana@desk, process 7, since ")
    assert found.endswith(
        "on production expired and was not released; it was last renewed at 11:58:00 UTC. "
        "That release had changed nothing."
    )


@pytest.mark.parametrize("lock", [None, lock_renewed(timedelta(), is_released=True)])
def test_a_lock_that_was_released_has_no_description(lock: LockState | None) -> None:
    assert describe_expired(lock, "Topics/views") is None


@pytest.mark.parametrize(
    ("plan_hash", "recovers", "next_step"),
    [
        ("1f2e", None, "Start the release again: it continues from the current state."),
        (None, 7, "To start the recovery again: slipway recover production."),
        (None, None, "To roll back again, choose the revision: slipway rollback production --revision N."),
    ],
)
def test_a_halt_names_the_next_command(plan_hash: str | None, recovers: int | None, next_step: str) -> None:
    digest = "sha256:" + "a" * 64
    release = Release(
        environment="production",
        number=8,
        nonce="1",
        artifact_digest=digest,
        plan_hash=plan_hash,
        lock_epoch=4,
        recovers=recovers,
    )
    assert describe_halt(release) == f"No further step was started. {next_step}"
