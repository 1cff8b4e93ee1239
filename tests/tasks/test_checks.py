import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from delivery.canary.verdict import Verdict
from delivery.errors import ChecksFailed, Inconclusive, Unavailable
from delivery.verification import Check
from tasks.checks import checked, conclude, read_rollout_check, require_rest, wait_for_answer
from tasks.state.lock import lock_environment
from tests.environments import production
from tests.shop import Shop
from tests.tasks.canaries import promote, stand_at_first_pause

DIGEST = "sha256:" + "a" * 64
pytestmark = pytest.mark.usefixtures("prefect_server")


def check(verdict: Verdict) -> Check:
    return Check(name="backend", verdict=verdict, seen="HTTP 503", wanted="HTTP 200")


def away() -> Check:
    raise Unavailable("Could not read stack x: timed out.")


def test_nothing_is_checked_while_a_release_is_under_way(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with (
        lock_environment(environment, DIGEST, "hash", "because"),
        pytest.raises(Inconclusive, match=r"Release 1 .* is under way .* Nothing was checked"),
    ):
        require_rest.fn(environment)


def test_an_environment_given_back_is_at_rest(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "because"):
        pass
    require_rest.fn(environment)


def test_a_look_that_failed_cannot_tell() -> None:
    seen = checked("stacks", "as planned", away)
    assert (seen.verdict, seen.seen) == (Verdict.INCONCLUSIVE, "Could not read stack x: timed out.")


def test_a_front_door_that_nobody_opens_is_no_answer(tmp_path: Path) -> None:
    with closing(socket.socket()) as unopened, disable_run_logger():
        unopened.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unopened.getsockname()[1]}/"
        assert wait_for_answer(production(tmp_path), url, within=timedelta()) is None


@pytest.mark.proof
def test_a_canary_that_a_release_left_is_told_with_its_share_its_release_and_the_ways_on(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.release(digest) as left:
        stand_at_first_pause(shop, left)
    check = read_rollout_check(shop.environment)
    share = f"30 % of the traffic at release {left.number}'s canary, revision 2, {digest}, and nobody moves it"
    assert (check.verdict, check.seen) == (Verdict.FAIL, share)
    assert check.advice.endswith(f"slipway rollback {shop.environment.name} --revision 1 takes it back")


def test_one_failed_check_fails_them_all(tmp_path: Path) -> None:
    with pytest.raises(ChecksFailed, match="1 of 2 checks fail"):
        conclude(production(tmp_path), [check(Verdict.PASS), check(Verdict.FAIL)])


def test_checks_that_cannot_tell_are_inconclusive(tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="1 of 2 checks inconclusive"):
        conclude(production(tmp_path), [check(Verdict.PASS), check(Verdict.INCONCLUSIVE)])


def test_checks_that_all_pass_are_one_sentence(tmp_path: Path) -> None:
    assert conclude(production(tmp_path), [check(Verdict.PASS)]) == "1 of 1 checks pass."
