"""Rollbacks against the sandbox's cluster, controllers and load balancer: manual ones, and after a stop request."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.context import ReleaseContext
from delivery.errors import Refused, RollbackFailed, RolledBack, StopRequested
from tasks.rollback.revisions import confirm_revision, read_target
from tasks.rollback.rollback import restore_revision, roll_back_application
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tasks.state.lock import request_stop
from tests.shop import SERVER, Shop
from tests.tasks.canaries import promote, reach_first_pause, served_digest_when_idle

pytestmark = pytest.mark.proof


def with_abort_deadline(context: ReleaseContext, deadline: timedelta) -> ReleaseContext:
    """The release with a deadline for an abort that never succeeds."""
    canary = context.environment.canary.model_copy(update={"abort_deadline": deadline})
    return replace(context, environment=context.environment.model_copy(update={"canary": canary}))


def fail(shop: Shop, digest: str) -> None:
    """The canary of the digest is rolled back, and its release ends RolledBack."""
    with suppress(RolledBack), shop.release(digest) as context:
        reach_first_pause(shop, context)
        raise RolledBack(roll_back_application.fn(context))


def stop_in_its_canary(shop: Shop, digest: str) -> None:
    """The release finds the stop request before its rollback, which then does not start."""
    with shop.release(digest) as context:
        reach_first_pause(shop, context)
        request_stop(shop.environment, "ana@desk", "the shop has a sale")
        roll_back_application.fn(context)


def serving_until(file: Path) -> str:
    """A program that serves until the file exists. After that, it ends each time it is started."""
    watch = f"""
import os, threading, time
def watch():
    while not os.path.exists({str(file)!r}):
        time.sleep(0.1)
    os._exit(3)
threading.Thread(target=watch, daemon=True).start()
"""
    return watch + SERVER


def test_a_rollback_accepts_only_a_revision_that_served_before(shop: Shop) -> None:
    first, failed, second = shop.push("a"), shop.push("b"), shop.push("c")
    promote(shop, first)
    with pytest.raises(Refused, match=r"No revision was given\. Rollout till has no revision to roll back to\."):
        read_target(shop.environment, None)
    fail(shop, failed)
    promote(shop, second)
    snapshot = connect_rollout(shop.environment).read()
    numbers = {found.artifact_digest: found.revision for found in snapshot.replica_sets}
    with pytest.raises(Refused, match=r"was never promoted \(release 2: RolledBack\)\. To release it again: "):
        read_target(shop.environment, numbers[failed], unverified=True)
    with pytest.raises(
        Refused, match=rf"already serves all traffic\. .* back to:\n  {numbers[first]}: {first}, created "
    ):
        read_target(shop.environment, numbers[second])
    chosen = read_target(shop.environment, numbers[first])
    with shop.release(first) as context:
        sentence = restore_revision.fn(context, confirm_revision.fn(shop.environment, chosen))
    assert f"{first}, serves all traffic, confirmed at the load balancer." in sentence
    assert served_digest_when_idle(shop) == first
    with pytest.raises(Refused, match=f"Revision {numbers[first]} does not exist"):
        confirm_revision.fn(shop.environment, chosen)


def test_a_stop_during_a_canary_reports_the_traffic_and_a_rollback_ends_the_canary(shop: Shop) -> None:
    good = shop.push("a")
    promote(shop, good)
    with pytest.raises(StopRequested):
        stop_in_its_canary(shop, shop.push("b"))
    message = read_journal(shop.environment, 2)[-1].detail["message"]
    assert "ana@desk asked this release to stop: the shop has a sale." in message
    assert "The canary has 30 % of the traffic, confirmed at the load balancer" in message
    chosen = read_target(shop.environment, 1)
    with shop.release(good) as context:
        restore_revision.fn(context, chosen)
    assert served_digest_when_idle(shop) == good


def test_a_rollback_that_is_stopped_reports_the_traffic(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    with shop.release(shop.push("b")) as context:
        reach_first_pause(shop, context)
    chosen = read_target(shop.environment, 1)
    with shop.release(chosen.replica_set.artifact_digest) as context:
        request_stop(shop.environment, "ana@desk", "not now")
        with pytest.raises(StopRequested, match="The canary has 30 % of the traffic"):
            restore_revision.fn(context, chosen)


def test_a_rollback_during_a_canary_does_not_wait_for_a_broken_stable_revision(shop: Shop, tmp_path: Path) -> None:
    good, file = shop.push("a"), tmp_path / "broken"
    promote(shop, good)
    promote(shop, shop.push("b", program=serving_until(file)))
    with shop.release(shop.push("c")) as context:
        live, canary = reach_first_pause(shop, context)
    file.touch()
    live.wait_until(
        live.read,
        lambda snapshot: None if snapshot.failure_of(canary.stable_hash) else "it serves",
        "the stable revision to break",
        deadline=shop.environment.canary.ready_deadline,
    )
    chosen = read_target(shop.environment, 1)
    with shop.release(good) as context:
        restore_revision.fn(context, chosen)
    assert served_digest_when_idle(shop) == good


def test_a_service_that_a_release_changed_is_a_kept_change_of_the_rollback(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    manifests = Path(shop.environment.application.manifests) / "all.yaml"
    manifests.write_text(manifests.read_text().replace("targetPort: 8000", "targetPort: 8001", 1))
    promote(shop, shop.push("b"))
    chosen = read_target(shop.environment, 1)
    assert chosen.kept == ("Application/Service blue",)


def test_a_rollback_to_a_broken_stable_revision_names_that_revision(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "broken"
    promote(shop, shop.push("a", program=serving_until(file)))
    with shop.release(shop.push("b")) as context:
        _, canary = reach_first_pause(shop, context)
        file.touch()
        error = rf"The stable revision 1 \(hash {canary.stable_hash}\) does not serve: pod till-"
        with pytest.raises(RollbackFailed, match=error):
            roll_back_application.fn(with_abort_deadline(context, timedelta(seconds=5)))
