import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from delivery.canary.verdict import Verdict
from delivery.errors import ChecksFailed, Inconclusive, Unavailable
from delivery.verification import Check
from tasks.checks import checked, conclude, read_rollout_check, require_unlocked, wait_for_answer
from tasks.state.lock import lock_environment
from tests.environments import production
from tests.shop import Shop
from tests.tasks.canaries import promote, reach_first_pause

DIGEST = "sha256:" + "a" * 64
pytestmark = pytest.mark.usefixtures("prefect_server")


def check(verdict: Verdict) -> Check:
    return Check(name="backend", verdict=verdict, seen="HTTP 503", wanted="HTTP 200")


def unavailable() -> Check:
    raise Unavailable("Could not read stack x: timed out.")


def test_nothing_is_checked_while_a_release_is_in_progress(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with (
        lock_environment(environment, DIGEST, "hash", "because"),
        pytest.raises(Inconclusive, match=r"production is locked by release 1 .* Nothing was checked"),
    ):
        require_unlocked.fn(environment)


def test_an_environment_can_be_checked_after_its_lock_was_released(tmp_path: Path) -> None:
    environment = production(tmp_path)
    with lock_environment(environment, DIGEST, "hash", "because"):
        pass
    require_unlocked.fn(environment)


def test_a_check_that_cannot_be_read_is_inconclusive() -> None:
    seen = checked("stacks", "as specified", unavailable)
    assert (seen.verdict, seen.seen) == (Verdict.INCONCLUSIVE, "Could not read stack x: timed out.")


def test_an_endpoint_that_nothing_listens_on_has_no_response(tmp_path: Path) -> None:
    with closing(socket.socket()) as closed, disable_run_logger():
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert wait_for_answer(production(tmp_path), url, within=timedelta()) is None


@pytest.mark.proof
def test_an_orphaned_canary_is_reported_with_its_weight_its_release_and_the_next_commands(shop: Shop) -> None:
    promote(shop, shop.push("a"))
    digest = shop.push("b")
    with shop.release(digest) as context:
        reach_first_pause(shop, context)
    check = read_rollout_check(shop.environment)
    canary = f"the canary of release {context.release.number} at weight 30 %: revision 2, {digest}"
    assert (check.verdict, check.seen) == (Verdict.FAIL, f"{canary}, which no process judges")
    assert check.advice.endswith(f"To roll it back: slipway rollback {shop.environment.name} --revision 1")


def test_one_failed_check_fails_the_verification(tmp_path: Path) -> None:
    with pytest.raises(ChecksFailed, match="1 of 2 checks fail"):
        conclude(production(tmp_path), [check(Verdict.PASS), check(Verdict.FAIL)])


def test_one_inconclusive_check_makes_the_verification_inconclusive(tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="1 of 2 checks are inconclusive"):
        conclude(production(tmp_path), [check(Verdict.PASS), check(Verdict.INCONCLUSIVE)])


def test_checks_that_all_pass_are_summarized_in_one_sentence(tmp_path: Path) -> None:
    assert conclude(production(tmp_path), [check(Verdict.PASS)]) == "1 of 1 checks pass."
