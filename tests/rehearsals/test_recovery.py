"""A release whose process is killed during its canary: Prefect starts the recovery, which rolls it back."""

import os
import re
import signal
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.testing import eventually
from tests.rehearsals.counts import count_at_pods, weights
from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal


@dataclass(frozen=True)
class Recovery:
    """release: the orphaned one. recovery: the one that rolled it back. Both from `slipway status`."""

    ended: Ending
    release: dict[str, Any]
    recovery: dict[str, Any]


@pytest.fixture(scope="module")
def recovery(production: Rehearsal) -> Recovery:
    with production.installed_with(SLIPWAY_RECOVERY__ON_ORPHANED="rollback", SLIPWAY_CANARY__PAUSE="60s"):
        command = production.start_release(production.push("killed"))
        command.wait_for("apply the connection settings")
        process = production.release_process()
        eventually(lambda: weights(production) == {20.0} and count_at_pods(production).canary > 0)
        os.kill(process, signal.SIGKILL)
        ended = command.wait()
        eventually(lambda: production.last_release()["outcome"].startswith("COMPLETED"))
        recovery, release = production.status()["releases"][:2]
        return Recovery(ended, release, recovery)


def test_a_killed_release_says_what_happens_to_its_canary(recovery: Recovery) -> None:
    assert recovery.ended.exit_code == 8
    assert (
        "A canary in progress is rolled back by the Prefect deployment recover/production, unless [recovery] "
        "on_orphaned is 'leave'." in recovery.ended.sentence
    )


def test_its_canary_is_rolled_back_automatically(recovery: Recovery, production: Rehearsal) -> None:
    number = recovery.release["number"]
    orphaned = rf"The process of release {number} died or lost the lock\."
    rolled_back = rf"Its canary was rolled back by the recovery \(release {number + 1}\)\."
    assert re.match(rf"COMPLETED  {orphaned} {rolled_back} Revision ", recovery.recovery["outcome"])
    assert "serves all traffic, confirmed at the load balancer." in recovery.recovery["outcome"]
    assert weights(production) == {0.0}


def test_its_reason_names_the_run_that_ended(recovery: Recovery) -> None:
    assert re.fullmatch(r"the run release sha256:\w+ ended Crashed", recovery.recovery["reason"])
