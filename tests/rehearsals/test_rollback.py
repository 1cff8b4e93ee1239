"""The way back by hand: to a revision that served before, and to no other."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.receivers import receiving
from tests.rehearsals.counts import NAMESPACE, cluster_of
from tests.rehearsals.rehearsal import Ending, Rehearsal

pytestmark = pytest.mark.rehearsal


@dataclass(frozen=True)
class WaysBack:
    """first: a digest that served before, as this revision. failed: one that failed its users. released: a release of
    the first one. notices: what the webhook got, those of earlier releases included.
    """

    first: str
    revision: str
    failed: str
    released: Ending
    unnamed: Ending
    to_failed: Ending
    to_first: Ending
    again: Ending
    notices: list[dict[str, Any]]


@pytest.fixture(scope="module")
def ways(production: Rehearsal) -> WaysBack:
    """A digest is promoted, one fails, another is promoted; then each way back to the first one is asked for."""
    first, failed = production.push("served"), production.push("failed", "errors")
    promoted = production.release(first)
    assert promoted.exit_code == 0, promoted.output
    assert production.release(failed).exit_code == 5
    promoted = production.release(production.push("serving"))
    assert promoted.exit_code == 0, promoted.output
    released = production.release(first)
    with receiving() as receiver, production.installed_with(SLIPWAY_NOTICES__WEBHOOK_URL=receiver.url):
        unnamed = roll_back(production)
        to_failed = roll_back(production, revision_of(production, failed))
        revision = listed(unnamed)[first[:19]]
        to_first = roll_back(production, revision)
        again = roll_back(production, revision)
        notices = [body for body, _ in receiver.taken]
    return WaysBack(first, revision, failed, released, unnamed, to_failed, to_first, again, notices)


def roll_back(production: Rehearsal, revision: str | None = None) -> Ending:
    return production.slipway("rollback", "production", *(["--revision", revision] if revision else []))


def listed(refused: Ending) -> dict[str, str]:
    """The revisions that can be gone back to, by the beginning of their digests."""
    possible = refused.output.rpartition("REFUSED")[2].partition("No journal tells")[0]
    return {
        digest: revision for revision, digest in re.findall(r"^\s*(\d+): (sha256:[0-9a-f]{12})", possible, re.MULTILINE)
    }


def revision_of(production: Rehearsal, digest: str) -> str:
    """The number that the failed canary has, as its Rollout's ReplicaSet tells."""
    found = cluster_of(production).list("ReplicaSet", NAMESPACE, "app=genai-demo-backend")
    (replica_set,) = (item for item in found if digest in json.dumps(item["spec"]["template"]))
    return replica_set["metadata"]["annotations"]["rollout.argoproj.io/revision"]


def test_a_way_back_without_a_revision_lists_those_that_served_and_touches_nothing(ways: WaysBack) -> None:
    assert ways.unnamed.exit_code == 3
    assert "REFUSED  No revision was named. Rollout genai-demo-backend can go back to:" in ways.unnamed.output
    assert ways.first[:19] in listed(ways.unnamed)
    assert ways.failed[:19] not in listed(ways.unnamed)
    assert "Nothing was touched." in ways.unnamed.output


def test_a_release_of_a_digest_that_served_is_refused_and_names_both_ways(ways: WaysBack) -> None:
    assert ways.released.exit_code == 3
    assert ways.released.sentence.startswith(
        f"REFUSED  {ways.first[:19]}… is revision {ways.revision}, which served before: the controller would give it "
    )
    assert f"To go back to it at once: slipway rollback production --revision {ways.revision}. " in (
        ways.released.sentence
    )
    assert ways.released.sentence.endswith("which takes its ReplicaSet away first. Nothing was touched.")


def test_a_way_back_to_a_canary_that_failed_is_refused(ways: WaysBack) -> None:
    assert ways.to_failed.exit_code == 3
    assert re.search(r"never served all traffic: release \d+, which tried it, ended RolledBack", ways.to_failed.output)


def test_a_way_back_to_a_revision_gives_it_all_traffic_and_asks_for_its_health(ways: WaysBack) -> None:
    assert ways.to_first.exit_code == 0, ways.to_first.output
    served = rf"COMPLETED  Revision \d+, {ways.first[:19]}…, serves all traffic, read back from the load"
    assert re.match(served, ways.to_first.sentence)
    assert "https://api.genai-demo.com/actuator/health answers 200." in ways.to_first.sentence


def test_a_way_back_is_told_and_a_number_that_moved_is_refused(ways: WaysBack) -> None:
    assert ways.notices[-1]["event"] == "Completed"
    assert ways.notices[-1]["text"].startswith("Rolled back by hand, as release ")
    assert ways.again.exit_code == 3
    assert "There is no revision " in ways.again.output


def test_a_digest_that_served_is_judged_like_a_new_one_where_the_release_asks_for_it(
    production: Rehearsal, ways: WaysBack
) -> None:
    """Once something younger serves; the release is stopped at its first pause."""
    promoted = production.release(production.push("younger"))
    assert promoted.exit_code == 0, promoted.output
    command = production.start_release(ways.first, "--canary")
    command.wait_for("confirm 20 % at the load balancer")
    production.slipway("stop", "--reason", "its canary has begun")
    ended = command.wait()
    assert re.search(r"revision \d+ of it is taken away first: the controller would give it all traffic", ended.output)
    assert "canary at 20, 40, 60, 80 %, then all traffic" in ended.output
    assert "The canary stays at 20 % of the traffic, read back from the load balancer." in ended.sentence
