"""The manual rollback: to a revision that served before, and to no other."""

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
class Rollbacks:
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
def rollbacks(production: Rehearsal) -> Rollbacks:
    """A digest is promoted, one fails, another is promoted; then each rollback to the first one is tried."""
    first, failed = production.push("served"), production.push("failed", "errors")
    promoted = production.release(first)
    assert promoted.exit_code == 0, promoted.output
    assert production.release(failed).exit_code == 5
    promoted = production.release(production.push("serving"))
    assert promoted.exit_code == 0, promoted.output
    released = production.release(first)
    with receiving() as receiver, production.installed_with(SLIPWAY_NOTICES__WEBHOOK_URL=receiver.url):
        unnamed = run_rollback(production)
        to_failed = run_rollback(production, revision_of(production, failed))
        revision = listed(unnamed)[first[:19]]
        to_first = run_rollback(production, revision)
        again = run_rollback(production, revision)
        notices = [body for body, _ in receiver.requests]
    return Rollbacks(first, revision, failed, released, unnamed, to_failed, to_first, again, notices)


def run_rollback(production: Rehearsal, revision: str | None = None) -> Ending:
    return production.slipway("rollback", "production", *(["--revision", revision] if revision else []))


def listed(refused: Ending) -> dict[str, str]:
    """The revisions to roll back to, by the beginning of their digests."""
    possible = refused.output.rpartition("REFUSED")[2].partition("Only with --unverified")[0]
    return {
        digest: revision for revision, digest in re.findall(r"^\s*(\d+): (sha256:[0-9a-f]{12})", possible, re.MULTILINE)
    }


def revision_of(production: Rehearsal, digest: str) -> str:
    """The revision number of the failed canary, from its ReplicaSet."""
    found = cluster_of(production).list("ReplicaSet", NAMESPACE, "app=genai-demo-backend")
    (replica_set,) = (item for item in found if digest in json.dumps(item["spec"]["template"]))
    return replica_set["metadata"]["annotations"]["rollout.argoproj.io/revision"]


def test_a_rollback_without_a_revision_lists_those_that_served_and_changes_nothing(rollbacks: Rollbacks) -> None:
    assert rollbacks.unnamed.exit_code == 3
    refusal = "REFUSED  No revision was given. Rollout genai-demo-backend can be rolled back to:"
    assert refusal in rollbacks.unnamed.output
    assert rollbacks.first[:19] in listed(rollbacks.unnamed)
    assert rollbacks.failed[:19] not in listed(rollbacks.unnamed)
    assert "Nothing was changed." in rollbacks.unnamed.output


def test_a_release_of_a_digest_that_served_is_refused_and_names_both_commands(rollbacks: Rollbacks) -> None:
    assert rollbacks.released.exit_code == 3
    assert rollbacks.released.sentence.startswith(
        f"REFUSED  {rollbacks.first[:19]}… is revision {rollbacks.revision}, which served before. "
        "The controller would give it "
    )
    assert f"To do so: slipway rollback production --revision {rollbacks.revision}. " in (rollbacks.released.sentence)
    assert rollbacks.released.sentence.endswith("which deletes its ReplicaSet first. Nothing was changed.")


def test_a_rollback_to_a_canary_that_failed_is_refused(rollbacks: Rollbacks) -> None:
    assert rollbacks.to_failed.exit_code == 3
    assert re.search(r"was never promoted \(release \d+: RolledBack\)\.", rollbacks.to_failed.output)


def test_a_rollback_gives_the_revision_all_traffic_and_checks_its_health(rollbacks: Rollbacks) -> None:
    assert rollbacks.to_first.exit_code == 0, rollbacks.to_first.output
    served = rf"COMPLETED  Revision \d+, {rollbacks.first[:19]}…, serves all traffic, confirmed at the load"
    assert re.match(served, rollbacks.to_first.sentence)
    assert "https://api.genai-demo.com/actuator/health answers 200." in rollbacks.to_first.sentence


def test_a_rollback_is_notified_and_a_number_that_moved_is_refused(rollbacks: Rollbacks) -> None:
    assert rollbacks.notices[-1]["event"] == "Completed"
    assert rollbacks.notices[-1]["text"].startswith("Manual rollback, as release ")
    assert rollbacks.again.exit_code == 3
    assert re.search(r"Revision \d+ does not exist\.", rollbacks.again.output)


def test_a_digest_that_served_gets_a_canary_if_the_release_asks_for_it(
    production: Rehearsal, rollbacks: Rollbacks
) -> None:
    """Once something younger serves; the release is stopped at its first pause."""
    promoted = production.release(production.push("younger"))
    assert promoted.exit_code == 0, promoted.output
    command = production.start_release(rollbacks.first, "--canary")
    command.wait_for("confirm the weight of 20 %")
    production.slipway("stop", "--reason", "its canary has begun")
    ended = command.wait()
    deleted_first = r"deletes the ReplicaSet of revision \d+ first, so that the canary steps run"
    assert re.search(deleted_first, ended.output)
    assert "canary at 20, 40, 60, 80 %, then all traffic" in ended.output
    assert "The canary has 20 % of the traffic, confirmed at the load balancer, and is not monitored." in ended.sentence
