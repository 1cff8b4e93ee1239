"""Ways back against the sandbox's cluster, controllers and load balancer: by hand, and of a release that is stopped."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.environment import Environment
from delivery.errors import Refused, RollbackFailed, RolledBack, StopRequested
from tasks.rollback.revisions import choose_revision, confirm_revision
from tasks.rollback.rollback import restore_revision, roll_back_application
from tasks.rollout.live import connect_rollout
from tasks.state.journal import read_journal
from tasks.state.lock import request_stop
from tests.shop import SERVER, Shop
from tests.tasks.canaries import digest_at_rest, promote, stand_at_first_pause

pytestmark = pytest.mark.proof


def fail(shop: Shop, digest: str) -> None:
    """A canary of the digest is taken back, and its release ends so."""
    with suppress(RolledBack), shop.release(digest) as release:
        stand_at_first_pause(shop, release)
        raise RolledBack(roll_back_application.fn(shop.environment, release))


def stop_in_its_canary(shop: Shop, digest: str) -> None:
    """As a release ends that finds the request to stop: its way back may not start."""
    with shop.release(digest) as release:
        stand_at_first_pause(shop, release)
        request_stop(shop.environment, "ana@desk", "the shop has a sale")
        roll_back_application.fn(shop.environment, release)


def serving_until(mark: Path) -> str:
    """A program that serves until there is such a file, and then ends however often it is started."""
    watch = f"""
import os, threading, time
def watch():
    while not os.path.exists({str(mark)!r}):
        time.sleep(0.1)
    os._exit(3)
threading.Thread(target=watch, daemon=True).start()
"""
    return watch + SERVER


def impatient(environment: Environment) -> Environment:
    """The environment, where nobody waits long for an abort that cannot come."""
    canary = environment.canary.model_copy(update={"abort_deadline": timedelta(seconds=5)})
    return environment.model_copy(update={"canary": canary})


def test_a_roll_back_goes_to_what_served_before_and_to_nothing_else(shop: Shop) -> None:
    first, failed, second = shop.push("a"), shop.push("b"), shop.push("c")
    promote(shop, first)
    with pytest.raises(Refused, match=r"No revision was named\. Rollout till can go back to: nothing\."):
        choose_revision.fn(shop.environment, None)
    fail(shop, failed)
    promote(shop, second)
    snapshot = connect_rollout(shop.environment).read()
    numbers = {found.artifact_digest: found.revision for found in snapshot.replica_sets}
    with pytest.raises(Refused, match=r"never served all traffic: release 2, which tried it, ended RolledBack"):
        choose_revision.fn(shop.environment, numbers[failed], unverified=True)
    with pytest.raises(Refused, match=rf"serves all traffic already\. .* back to:\n  {numbers[first]}: {first}, made "):
        choose_revision.fn(shop.environment, numbers[second])
    chosen = choose_revision.fn(shop.environment, numbers[first])
    with shop.release(first) as release:
        sentence = restore_revision.fn(shop.environment, release, confirm_revision.fn(shop.environment, chosen))
    assert f"{first}, serves all traffic, read back from the load balancer." in sentence
    assert digest_at_rest(shop) == first
    with pytest.raises(Refused, match=f"There is no revision {numbers[first]}"):
        confirm_revision.fn(shop.environment, chosen)


def test_a_stop_in_a_canary_says_where_the_traffic_stays_and_a_roll_back_takes_it_back(shop: Shop) -> None:
    good = shop.push("a")
    promote(shop, good)
    with pytest.raises(StopRequested):
        stop_in_its_canary(shop, shop.push("b"))
    said = read_journal(shop.environment, 2)[-1].detail["message"]
    assert "ana@desk asked this release to stop: the shop has a sale." in said
    assert "The canary stays at 30 % of the traffic, read back from the load balancer" in said
    chosen = choose_revision.fn(shop.environment, 1)
    with shop.release(good) as release:
        restore_revision.fn(shop.environment, release, chosen)
    assert digest_at_rest(shop) == good


def test_a_roll_back_that_is_asked_to_stop_says_where_the_traffic_stays(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    with shop.release(shop.push("b")) as died:
        stand_at_first_pause(shop, died)
    chosen = choose_revision.fn(shop.environment, 1)
    with shop.release(chosen.found.artifact_digest) as release:
        request_stop(shop.environment, "ana@desk", "not now")
        with pytest.raises(StopRequested, match="The canary stays at 30 % of the traffic"):
            restore_revision.fn(shop.environment, release, chosen)


def test_a_roll_back_in_a_canary_does_not_wait_for_a_stable_revision_that_is_broken(shop: Shop, tmp_path: Path) -> None:
    good, mark = shop.push("a"), tmp_path / "broken"
    promote(shop, good)
    promote(shop, shop.push("b", program=serving_until(mark)))
    with shop.release(shop.push("c")) as died:
        live, canary = stand_at_first_pause(shop, died)
    mark.touch()
    live.wait_until(
        live.read,
        lambda snapshot: None if snapshot.trouble_of(canary.stable_hash) else "it serves",
        "the stable revision to break",
        deadline=shop.environment.canary.ready_deadline,
    )
    chosen = choose_revision.fn(shop.environment, 1)
    with shop.release(good) as release:
        restore_revision.fn(shop.environment, release, chosen)
    assert digest_at_rest(shop) == good


def test_a_service_that_a_release_changed_is_named_as_kept_by_the_way_back(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    manifests = Path(shop.environment.application.manifests) / "all.yaml"
    manifests.write_text(manifests.read_text().replace("targetPort: 8000", "targetPort: 8001", 1))
    promote(shop, shop.push("b"))
    chosen = choose_revision.fn(shop.environment, 1)
    assert chosen.kept == ("Application/Service blue",)


def test_a_way_back_to_a_stable_revision_that_is_broken_names_that_one(shop: Shop, tmp_path: Path) -> None:
    mark = tmp_path / "broken"
    promote(shop, shop.push("a", program=serving_until(mark)))
    with shop.release(shop.push("b")) as release:
        _, canary = stand_at_first_pause(shop, release)
        mark.touch()
        told = rf"The stable revision, 1 \(hash {canary.stable_hash}\), does not serve: pod till-"
        with pytest.raises(RollbackFailed, match=told):
            roll_back_application.fn(impatient(shop.environment), release)
