from datetime import UTC, datetime, timedelta

import pytest

from delivery.journal.lock import SKEW, LockHolder, LockState, describe_found

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def renewed(ago: timedelta, *, is_released: bool = False) -> LockState:
    holder = LockHolder(who="ana@desk", why="", since=NOW, artifact_digest="sha256:", lease=LEASE, token="t")
    return LockState(
        environment="production", epoch=1, holder=holder, renewed_at=NOW - ago, is_released=is_released, number=3
    )


@pytest.mark.parametrize(
    ("ago", "is_over"),
    [(timedelta(), False), (LEASE, False), (LEASE + SKEW, False), (LEASE + SKEW + timedelta(microseconds=1), True)],
)
def test_a_hold_is_over_when_lease_and_skew_have_passed_since_its_renewal(ago: timedelta, is_over: bool) -> None:
    assert renewed(ago).is_over(NOW) is is_over


def test_a_hold_that_was_renewed_by_a_clock_ahead_of_ours_still_counts() -> None:
    assert not renewed(-SKEW).is_over(NOW)


def test_a_hold_that_was_given_back_is_over_at_once() -> None:
    assert renewed(timedelta(), is_released=True).is_over(NOW)


def test_the_next_holder_is_told_of_one_that_gave_nothing_back() -> None:
    found = describe_found(renewed(timedelta(minutes=2)), None)
    assert found is not None
    assert found.startswith("Release 3 of production, by ana@desk")
    assert found.endswith("stopped without giving it back (last sign 11:58:00 UTC); it had changed nothing.")


@pytest.mark.parametrize("lock", [None, renewed(timedelta(), is_released=True)])
def test_there_is_nothing_to_tell_of_a_hold_that_was_given_back(lock: LockState | None) -> None:
    assert describe_found(lock, "Topics/views") is None
