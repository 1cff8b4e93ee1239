"""A release whose process is killed in its canary, while nobody is there: Prefect starts what takes it back."""

import os
import re
import signal
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.testing import eventually
from tests.rehearsals.counts import count_at_pods, shares
from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal


@dataclass(frozen=True)
class Recovery:
    """release: as it was told in the end. recovery: what the store tells of the release that took its canary back."""

    ended: Ending
    release: dict[str, Any]
    recovery: dict[str, Any]


@pytest.fixture(scope="module")
def recovery(production: Rehearsal) -> Recovery:
    with production.installed_with(SLIPWAY_RECOVERY__ON_ORPHANED="rollback", SLIPWAY_CANARY__PAUSE="60s"):
        command = production.start_release(production.push("killed"))
        command.wait_for("apply the connection settings")
        holder = production.holder()
        eventually(lambda: shares(production) == {20.0} and count_at_pods(production).canary > 0)
        os.kill(holder, signal.SIGKILL)
        ended = command.wait()
        eventually(lambda: production.last_release()["outcome"].startswith("COMPLETED"))
        recovery, release = production.status()["releases"][:2]
        return Recovery(ended, release, recovery)


def test_a_killed_release_says_what_becomes_of_its_canary(recovery: Recovery) -> None:
    assert recovery.ended.exit_code == 8
    assert "canary is taken back by a run of recover/production, or left, as [recovery] on_orphaned says" in (
        recovery.ended.sentence
    )


def test_its_canary_is_taken_back_without_a_person(recovery: Recovery, production: Rehearsal) -> None:
    number = recovery.release["number"]
    said = rf"COMPLETED  Release {number} did not end; its canary was taken back, as release {number + 1}\. Revision "
    assert re.match(said, recovery.recovery["outcome"])
    assert "serves all traffic, read back from the load balancer." in recovery.recovery["outcome"]
    assert shares(production) == {0.0}


def test_who_started_it_is_told_as_its_reason(recovery: Recovery) -> None:
    assert re.fullmatch(r"the run release sha256:\w+ ended Crashed", recovery.recovery["reason"])
