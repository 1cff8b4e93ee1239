"""What a release leaves in the sandbox's cluster that is ended from outside in its canary, and who sees to it."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from delivery.environment import Lock, OnOrphaned, Recovery
from delivery.errors import Refused, Unfinished
from delivery.release import Event
from delivery.rollback.recovery import OrphanedRelease
from tasks.canary.start import abort_other_canary
from tasks.rollback.recovery import find_orphaned_canary, recovered, roll_back_orphaned
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.shop import Shop
from tests.tasks.canaries import digest_at_rest, promote, stand_at_first_pause

pytestmark = pytest.mark.proof


class Killed(BaseException):
    """As a signal ends a process: nobody gives the hold back."""


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """With holds that are soon over."""
    lock = Lock(lease=timedelta(seconds=3), wait=timedelta(seconds=60))
    return replace(shop, environment=shop.environment.model_copy(update={"lock": lock}))


def die_in_its_canary(shop: Shop, digest: str) -> None:
    with suppress(Killed), shop.release(digest) as release:
        stand_at_first_pause(shop, release)
        raise Killed


def take_back(shop: Shop, dead: OrphanedRelease, digest: str) -> str:
    held = lock_environment(shop.environment, digest, None, "it crashed", wait=False, recovers=dead.number)
    with held as release:
        return recovered(shop.environment, release, dead, roll_back_orphaned.fn(shop.environment, release, dead))


def test_a_canary_whose_release_died_is_taken_back_and_told_of(shop: Shop) -> None:
    good = shop.push("a")
    promote(shop, good)
    die_in_its_canary(shop, shop.push("b"))
    remains = find_orphaned_canary.fn(shop.environment)
    assert remains.sentence == "Release 2 did not end, and a canary is under way."
    assert remains.orphaned is not None
    assert remains.artifact_digest == good
    said = take_back(shop, remains.orphaned, good)
    assert said.startswith("Release 2 did not end; its canary was taken back, as release 3. Revision ")
    assert f"{good}, serves all traffic, read back from the load balancer." in said
    assert digest_at_rest(shop) == good
    (told,) = (record for record in read_journal(shop.environment, 3) if record.event is Event.NOTICE)
    assert told.detail["text"] == said
    again = find_orphaned_canary.fn(shop.environment)
    assert again.orphaned is None
    assert again.sentence == "No canary is under way in production. Nothing was touched."


def test_who_went_on_with_the_canary_meanwhile_keeps_it(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    digest = shop.push("b")
    die_in_its_canary(shop, digest)
    remains = find_orphaned_canary.fn(shop.environment)
    assert remains.orphaned is not None
    with shop.release(digest) as release:
        _, canary = stand_at_first_pause(shop, release)
    with pytest.raises(Refused, match="Meanwhile somebody else went on from what release 2 left"):
        take_back(shop, remains.orphaned, remains.artifact_digest)
    snapshot = shop.cluster.read("Rollout", "till", shop.namespace)
    assert snapshot is not None
    assert snapshot["status"]["currentPodHash"] == canary.canary_hash


def test_an_environment_that_wants_a_person_leaves_the_canary_and_says_where_it_is(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    die_in_its_canary(shop, shop.push("b"))
    environment = shop.environment.model_copy(update={"recovery": Recovery(on_orphaned=OnOrphaned.LEAVE)})
    with pytest.raises(Unfinished, match="The canary stays at 30 % of the traffic, read back") as left:
        find_orphaned_canary.fn(environment)
    assert "slipway rollback production --revision 1 takes it back" in str(left.value)
    with pytest.raises(Unfinished):
        find_orphaned_canary.fn(environment)
    (told,) = (record for record in read_journal(shop.environment, 2) if record.event is Event.NOTICE)
    assert told.detail == {"event": "Unfinished", "text": str(left.value)}


def test_a_release_that_is_alive_is_not_recovered(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    with shop.release(shop.push("b")) as release:
        stand_at_first_pause(shop, release)
        remains = find_orphaned_canary.fn(shop.environment)
    assert remains.orphaned is None
    assert "holds production and sees to it. Nothing was touched." in remains.sentence


def test_a_look_by_the_schedule_waits_for_nobody(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    die_in_its_canary(shop, shop.push("b"))
    assert "holds production and sees to it" in find_orphaned_canary.fn(shop.environment, wait=False).sentence


def test_a_release_of_another_artifact_ends_the_canary_that_was_left_before_anything_else(shop: Shop) -> None:
    good, bad = shop.push("a"), shop.push("b")
    promote(shop, good)
    die_in_its_canary(shop, bad)
    with lock_environment(shop.environment, bad, "plan", "test") as release:
        abort_other_canary.fn(shop.environment, release)
        assert connect_rollout(shop.environment).read().is_unfinished
    with shop.release(shop.push("c")) as release:
        abort_other_canary.fn(shop.environment, release)
    assert digest_at_rest(shop) == good
