"""A store of version 0.1, with earlier names: its journals can be read, and a valid lock is respected."""

import shutil
from pathlib import Path

import pytest

from delivery.environment import Environment
from delivery.errors import LockTaken
from delivery.journal.notices import read_notices
from delivery.release import end_in, request_in
from delivery.rollback.recovery import find_orphaned
from delivery.rollback.revisions import last_served, outcome_in
from tasks.state.journal import read_journal, read_request
from tasks.state.lock import lock_environment
from tests.environments import production

RECORDED = Path(__file__).with_name("recorded")
DIGEST = "sha256:" + "c" * 64


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Three releases: a rollback failed, a lock was lost, and the last release has the lock."""
    shutil.copytree(RECORDED, tmp_path / "store", copy_function=shutil.copy)
    return production(tmp_path / "store")


def test_an_earlier_journal_is_read_with_the_present_names(environment: Environment) -> None:
    journal = read_journal(environment, 1)
    assert (journal[0].step, journal[0].detail["lock_epoch"]) == ("Lock", 1)
    assert outcome_in(journal) == "RollbackFailed"
    assert [notice.event for notice in read_notices("production", 1, journal)] == ["RollbackFailed"]
    assert last_served({1: journal}, "6c9f8d7b5") == 1
    assert read_request(environment, 1) == request_in(journal)
    assert read_request(environment, 1).lock_epoch == 1


def test_a_release_that_lost_its_lock_under_an_earlier_version_is_orphaned(environment: Environment) -> None:
    journal = read_journal(environment, 2)
    end = end_in(journal)
    assert end is not None
    assert end.lock_lost is True
    found = find_orphaned(2, journal)
    assert found is not None
    assert found.stable_hash == "6c9f8d7b5"


def test_a_valid_lock_of_an_earlier_version_is_respected(environment: Environment) -> None:
    with (
        pytest.raises(LockTaken, match=r"production is locked by release 3 \(ana@desk \(process 7\), since "),
        lock_environment(environment, DIGEST, "hash", "the new version", wait=False),
    ):
        pass
