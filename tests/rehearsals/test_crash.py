"""A release whose process is killed during its canary: the state, the messages, and what the next release does."""

import os
import re
import signal
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.testing import eventually
from tests.rehearsals.counts import PROBES, Counts, count_at_generator, count_at_pods, settle_at_load_balancer, weights
from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal
# On a machine with other work a command takes longer to start than the pause of other rehearsals lasts.
PAUSE = "30s"


@dataclass(frozen=True)
class Crash:
    """counted: requests per arm during the canary, at three places. weights: of the canary, in percent, at every weight
    source before the process was killed and after its run had ended. journal: of the release that was stopped.
    """

    digest: str
    ended: Ending
    counted: dict[str, Counts]
    weights_before: set[float]
    weights_after: set[float]
    again: Ending
    other: Ending
    refused: Ending
    stop: Ending
    journal: list[dict[str, Any]]


@pytest.fixture(scope="module")
def crash(production: Rehearsal) -> Crash:
    """Killed at its first pause; released again and stopped at the next one; then another digest, which fails."""
    with production.installed_with(SLIPWAY_CANARY__PAUSE=PAUSE):
        return crash_and_resume(production)


def crash_and_resume(production: Rehearsal) -> Crash:
    digest = production.push("crashed")
    with production.without("traffic"):
        balancer, pods = settle_at_load_balancer(production), count_at_pods(production)
    command = production.start_release(digest)
    command.wait_for("apply the connection settings")
    process = production.release_process()
    # Within the pause: the weight is applied, and both arms got requests.
    eventually(lambda: weights(production) == {20.0} and count_at_pods(production).canary > 0)
    before = weights(production)
    os.kill(process, signal.SIGKILL)
    ended = command.wait()
    after = weights(production)
    production.sandbox.supervisor.end("traffic")
    counted = {
        "load balancer": settle_at_load_balancer(production).less(balancer),
        "pods": count_at_pods(production).less(pods),
        "users": count_at_generator(production),
    }
    production.sandbox.require("traffic")
    command = production.start_release(digest)
    command.wait_for("confirm the weight of 40 %")
    stop = production.slipway("stop", "--reason", "the shop has a sale")
    again = command.wait()
    journal = production.last_release()["journal"]
    command = production.start_release(production.push("failing", "errors"))
    command.wait_for("wait for the pause at 20 %")
    refused = production.release(digest, "--no-wait")
    return Crash(digest, ended, counted, before, after, again, command.wait(), refused, stop, journal)


def test_requests_per_arm_are_the_same_at_pods_load_balancer_and_users(crash: Crash) -> None:
    pods, balancer, users = (crash.counted[name] for name in ("pods", "load balancer", "users"))
    assert pods.stable > pods.canary > 0
    assert balancer == pods
    assert (users.stable + PROBES, users.canary) == (pods.stable, pods.canary)


def test_a_killed_release_is_crashed_and_says_how_to_continue(crash: Crash) -> None:
    assert crash.ended.exit_code == 8
    assert crash.ended.sentence.startswith("CRASHED  ")
    assert "slipway status production" in crash.ended.sentence
    assert "To continue, run the same command again." in crash.ended.sentence


def test_nothing_is_promoted_without_an_analysis(crash: Crash) -> None:
    assert crash.weights_before == crash.weights_after == {20.0}


def test_the_same_digest_resumes_at_the_pause_at_which_it_stopped(crash: Crash) -> None:
    assert "has no recorded end. Its process died during " in crash.again.output
    assert "an unfinished canary of this image is resumed at step 1" in crash.again.output
    assert "20 %  pass" in crash.again.output


def test_a_stop_takes_effect_before_the_next_step_and_says_where_traffic_is(crash: Crash) -> None:
    assert crash.stop.exit_code == 0
    assert "It stops before its next step." in crash.stop.output
    assert crash.again.exit_code == 8
    assert crash.again.sentence.startswith("UNFINISHED  ")
    assert "asked this release to stop: the shop has a sale. No further step was started" in crash.again.sentence
    assert re.search(r"The canary has \d+ % of the traffic, confirmed at the load balancer", crash.again.sentence)
    assert "slipway rollback production --revision " in crash.again.sentence


def test_a_stop_is_notified_and_its_journal_records_the_weight_of_the_canary(crash: Crash) -> None:
    (notice,) = (record["detail"] for record in crash.journal if record["event"] == "notice")
    assert notice["event"] == "Unfinished"
    stays = r"asked this release to stop: .* The canary has \d+ % of the traffic"
    assert re.search(stays, notice["text"])
    assert crash.journal[-1]["event"] == "ended"
    assert re.search(stays, crash.journal[-1]["detail"]["message"])


def test_another_digest_first_aborts_the_orphaned_canary(crash: Crash) -> None:
    assert f"@{crash.digest[:19]}… is aborted first" in crash.other.output
    assert "Aborting the canary of " in crash.other.output


def test_a_second_release_that_does_not_wait_says_who_has_the_lock(crash: Crash) -> None:
    assert crash.refused.exit_code == 4
    assert "Nothing was changed. Try again when that release has ended." in crash.refused.sentence


def test_a_digest_that_fails_its_users_is_rolled_back(crash: Crash) -> None:
    assert crash.other.exit_code == 5
    assert crash.other.sentence.startswith(
        ("ROLLED BACK  The canary failed at 20 %. ", "ROLLED BACK  The canary was inconclusive at 20 %. ")
    )
    assert "serves all traffic, confirmed at the load balancer." in crash.other.sentence
