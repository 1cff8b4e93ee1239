"""Releases in the sandbox's cluster whose process dies during their canary, and the recovery of their canary."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from delivery.environment import Lock, OnOrphaned, Recovery
from delivery.errors import Refused, Unfinished
from delivery.release import Event
from delivery.rollback.recovery import OrphanedRelease
from tasks.canary.start import abort_other_canary
from tasks.rollback.recovery import find_candidate, notify_recovery, roll_back_orphaned
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tasks.state.lock import lock_environment
from tests.shop import Shop
from tests.tasks.canaries import promote, reach_first_pause, served_digest_when_idle

pytestmark = pytest.mark.proof


class Killed(BaseException):
    """Ends a release as a signal ends its process: the lock is not released."""


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """With locks that expire soon."""
    lock = Lock(lease=timedelta(seconds=3), wait=timedelta(seconds=60))
    return replace(shop, environment=shop.environment.model_copy(update={"lock": lock}))


def die_in_its_canary(shop: Shop, digest: str) -> None:
    with suppress(Killed), shop.release(digest) as context:
        reach_first_pause(shop, context)
        raise Killed


def recover(shop: Shop, orphaned: OrphanedRelease, digest: str) -> str:
    number = orphaned.number
    with lock_environment(shop.environment, digest, None, "it crashed", wait=False, recovers=number) as context:
        return notify_recovery(context, orphaned, roll_back_orphaned.fn(context, orphaned))


def test_the_canary_of_an_orphaned_release_is_rolled_back_and_reported(shop: Shop) -> None:
    good = shop.push("a")
    promote(shop, good)
    die_in_its_canary(shop, shop.push("b"))
    candidate = find_candidate(shop.environment)
    assert candidate.sentence == "The process of release 2 died or lost the lock, and a canary is in progress."
    assert candidate.orphaned is not None
    assert candidate.artifact_digest == good
    message = recover(shop, candidate.orphaned, good)
    assert message.startswith(
        "The process of release 2 died or lost the lock. Its canary was rolled back by the recovery (release 3). "
        "Revision "
    )
    assert f"{good}, serves all traffic, confirmed at the load balancer." in message
    assert served_digest_when_idle(shop) == good
    (notice,) = (record for record in read_journal(shop.environment, 3) if record.event is Event.NOTICE)
    assert notice.detail["text"] == message
    again = find_candidate(shop.environment)
    assert again.orphaned is None
    assert again.sentence == "No canary is in progress in production. Nothing was changed."


def test_a_canary_that_another_release_continues_is_not_rolled_back(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    digest = shop.push("b")
    die_in_its_canary(shop, digest)
    candidate = find_candidate(shop.environment)
    assert candidate.orphaned is not None
    with shop.release(digest) as context:
        _, canary = reach_first_pause(shop, context)
    with pytest.raises(
        Refused, match="A release newer than release 2 changed the Rollout before this recovery acquired the lock"
    ):
        recover(shop, candidate.orphaned, candidate.artifact_digest)
    snapshot = shop.cluster.read("Rollout", "till", shop.namespace)
    assert snapshot is not None
    assert snapshot["status"]["currentPodHash"] == canary.canary_hash


def test_a_canary_is_not_rolled_back_but_reported_if_the_settings_say_so(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    die_in_its_canary(shop, shop.push("b"))
    environment = shop.environment.model_copy(update={"recovery": Recovery(on_orphaned=OnOrphaned.LEAVE)})
    with pytest.raises(Unfinished, match="The canary has 30 % of the traffic, confirmed") as error:
        find_candidate(environment)
    assert "To roll back: slipway rollback production --revision 1" in str(error.value)
    with pytest.raises(Unfinished):
        find_candidate(environment)
    (notice,) = (record for record in read_journal(shop.environment, 2) if record.event is Event.NOTICE)
    assert notice.detail == {"event": "Unfinished", "text": str(error.value)}


def test_a_release_that_still_has_the_lock_is_not_recovered(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        reach_first_pause(shop, context)
        candidate = find_candidate(shop.environment)
    assert candidate.orphaned is None
    assert candidate.sentence.startswith("production is locked by release ")
    assert candidate.sentence.endswith(". Nothing was changed.")


def test_the_schedule_does_not_wait_for_the_lock(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    die_in_its_canary(shop, shop.push("b"))
    assert "production is locked by release " in find_candidate(shop.environment, wait=False).sentence


def test_a_release_of_another_artifact_first_aborts_an_orphaned_canary(shop: Shop) -> None:
    good, bad = shop.push("a"), shop.push("b")
    promote(shop, good)
    die_in_its_canary(shop, bad)
    with lock_environment(shop.environment, bad, "plan", "test") as context:
        abort_other_canary.fn(context)
        assert connect_rollout(shop.environment).read().is_unfinished
    with shop.release(shop.push("c")) as context:
        abort_other_canary.fn(context)
    assert served_digest_when_idle(shop) == good
