"""A release whose process is killed in its canary: what stays, what is said, and what the next release does."""

import os
import re
import signal
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.testing import eventually
from tests.rehearsals.counts import PROBES, Counts, count_at_generator, count_at_pods, settle_at_load_balancer, shares
from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal
# On a machine with other work a command takes longer to start than the pause of other rehearsals lasts.
PAUSE = "30s"


@dataclass(frozen=True)
class Crash:
    """counted: requests per arm within the canary, at three places. share: of the canary, in percent, at every witness
    before the process was killed and after its run had ended. journal: of the release that was stopped.
    """

    digest: str
    ended: Ending
    counted: dict[str, Counts]
    shares_before: set[float]
    shares_after: set[float]
    again: Ending
    other: Ending
    refused: Ending
    stop: Ending
    journal: list[dict[str, Any]]


@pytest.fixture(scope="module")
def crash(production: Rehearsal) -> Crash:
    """Killed at its first pause; released again and stopped at the next one; then another digest, which fails."""
    with production.installed_with(SLIPWAY_CANARY__PAUSE=PAUSE):
        return crash_and_go_on(production)


def crash_and_go_on(production: Rehearsal) -> Crash:
    digest = production.push("crashed")
    with production.without("traffic"):
        balancer, pods = settle_at_load_balancer(production), count_at_pods(production)
    command = production.start_release(digest)
    command.wait_for("apply the connection settings")
    holder = production.holder()
    # Within the pause: the weight is there, and both arms were asked.
    eventually(lambda: shares(production) == {20.0} and count_at_pods(production).canary > 0)
    before = shares(production)
    os.kill(holder, signal.SIGKILL)
    ended = command.wait()
    after = shares(production)
    production.sandbox.supervisor.end("traffic")
    counted = {
        "load balancer": settle_at_load_balancer(production).less(balancer),
        "pods": count_at_pods(production).less(pods),
        "users": count_at_generator(production),
    }
    production.sandbox.require("traffic")
    command = production.start_release(digest)
    command.wait_for("confirm 40 % at the load balancer")
    stop = production.slipway("stop", "--reason", "the shop has a sale")
    again = command.wait()
    journal = production.last_release()["journal"]
    command = production.start_release(production.push("failing", "errors"))
    command.wait_for("wait until the canary is at 20 %")
    refused = production.release(digest, "--no-wait")
    return Crash(digest, ended, counted, before, after, again, command.wait(), refused, stop, journal)


def test_requests_per_arm_are_the_same_at_pods_load_balancer_and_users(crash: Crash) -> None:
    pods, balancer, users = (crash.counted[name] for name in ("pods", "load balancer", "users"))
    assert pods.stable > pods.canary > 0
    assert balancer == pods
    assert (users.stable + PROBES, users.canary) == (pods.stable, pods.canary)


def test_a_killed_release_is_crashed_and_says_how_to_go_on(crash: Crash) -> None:
    assert crash.ended.exit_code == 8
    assert crash.ended.sentence.startswith("CRASHED  ")
    assert "slipway status production" in crash.ended.sentence
    assert "a release started again goes on from what is there" in crash.ended.sentence


def test_nothing_is_promoted_while_nobody_judges(crash: Crash) -> None:
    assert crash.shares_before == crash.shares_after == {20.0}


def test_the_same_digest_goes_on_at_the_pause_where_it_was_left(crash: Crash) -> None:
    assert "did not end: its process stopped in " in crash.again.output
    assert "an unfinished canary of it is gone on with, at step 1" in crash.again.output
    assert "20 %  pass" in crash.again.output


def test_a_stop_comes_at_the_next_safe_point_and_says_where_traffic_is(crash: Crash) -> None:
    assert crash.stop.exit_code == 0
    assert "It stops before its next step." in crash.stop.output
    assert crash.again.exit_code == 8
    assert crash.again.sentence.startswith("UNFINISHED  ")
    assert "asked this release to stop: the shop has a sale. No further step was started" in crash.again.sentence
    assert re.search(
        r"The canary stays at \d+ % of the traffic, read back from the load balancer", crash.again.sentence
    )
    assert "slipway rollback production --revision " in crash.again.sentence


def test_a_stop_is_told_to_the_channels_and_its_journal_says_where_the_canary_stands(crash: Crash) -> None:
    (notice,) = (record["detail"] for record in crash.journal if record["event"] == "notice")
    assert notice["event"] == "Unfinished"
    stays = r"asked this release to stop: .* The canary stays at \d+ % of the traffic"
    assert re.search(stays, notice["text"])
    assert crash.journal[-1]["event"] == "ended"
    assert re.search(stays, crash.journal[-1]["detail"]["message"])


def test_another_digest_aborts_the_canary_that_was_left_first(crash: Crash) -> None:
    assert f"@{crash.digest[:19]}… is aborted first" in crash.other.output
    assert "; it is aborted." in crash.other.output


def test_a_second_release_that_does_not_wait_says_who_holds_the_environment(crash: Crash) -> None:
    assert crash.refused.exit_code == 4
    assert "holds the environment. Nothing was touched. Try again when it has ended." in crash.refused.sentence


def test_a_digest_that_fails_its_users_is_taken_back(crash: Crash) -> None:
    assert crash.other.exit_code == 5
    assert crash.other.sentence.startswith("ROLLED BACK  The canary was not promoted past 20 %: ")
    assert "serves all traffic, read back from the load balancer." in crash.other.sentence
