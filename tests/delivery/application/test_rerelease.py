from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery.application.planning import clean_template
from delivery.application.rerelease import ambiguous_revisions, describe_ambiguous_revision
from delivery.release import Record
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tests.delivery.rollback.test_revisions import ended, found_stable, journal, made
from tests.delivery.rollout.objects import CANARY, STABLE, aborted, at_pause, at_rest, done, replica_set

DIGEST = f"sha256:{'1' * 64}"
THIRD = "58aa"


def template_of(snapshot: RolloutSnapshot, pod_hash: str) -> Mapping[str, Any]:
    found = snapshot.replica_set(pod_hash)
    assert found is not None
    return clean_template(found.template)


def in_question(snapshot: RolloutSnapshot, pod_hash: str) -> list[int]:
    """The numbers of the revisions that are asked about where the template of this one is released."""
    return [found.revision for found in ambiguous_revisions(snapshot, template_of(snapshot, pod_hash))]


def ask(journals: dict[int, tuple[Record, ...]]) -> str | None:
    """Of the first revision, which is recent and not the one that serves."""
    found: ReplicaSet = replica_set(STABLE, f"registry/backend@{DIGEST}", 1, 0)
    return describe_ambiguous_revision("production", found, journals)


def test_a_recent_revision_is_in_question() -> None:
    assert in_question(done(), STABLE) == [1]


def test_a_revision_that_serves_or_whose_canary_is_under_way_is_not() -> None:
    assert in_question(at_rest(), STABLE) == []
    assert in_question(done(), CANARY) == []
    assert in_question(at_pause(), CANARY) == []


def test_a_canary_of_an_older_revision_that_is_under_way_is_gone_on_with_unasked() -> None:
    """By other hands: the stable revision is younger than the one that is on its way."""
    snapshot = replace(at_pause(), current_hash=STABLE, stable_hash=CANARY)
    assert in_question(snapshot, STABLE) == []


def test_a_canary_that_was_aborted_is_younger_than_what_serves_and_gets_another() -> None:
    assert in_question(aborted(), CANARY) == []


def test_a_revision_outside_the_rollback_window_gets_its_canary_unasked() -> None:
    assert in_question(replace(done(), rollback_window=0), STABLE) == []


def test_a_release_of_a_revision_that_served_has_to_say_what_is_meant() -> None:
    assert ask({2: journal(found_stable(STABLE), made(CANARY), ended("Completed"))}) == (
        f"{DIGEST} is revision 1, which served before: the controller would give it all traffic at once, without a "
        "canary. To go back to it at once: slipway rollback production --revision 1. To judge it like a new one, at "
        "every step: the same release with --canary (in Prefect: canary=true), which takes its ReplicaSet away first."
    )


def test_a_revision_whose_canary_failed_is_judged_again_without_a_question() -> None:
    assert ask({2: journal(found_stable(CANARY), made(STABLE), ended("RolledBack"))}) is None


def test_a_revision_that_served_is_asked_about_although_its_last_canary_failed() -> None:
    failed = journal(found_stable(CANARY), made(STABLE), ended("RolledBack"))
    assert "which served before" in (ask({3: failed, 2: journal(found_stable(STABLE), made(CANARY))}) or "")


def test_a_revision_of_which_no_journal_tells_is_asked_about_and_goes_back_only_where_that_is_said() -> None:
    asked = ask({2: journal(found_stable(CANARY), made(THIRD), ended("RolledBack"))}) or ""
    assert f"{DIGEST} is revision 1, of which no journal tells whether it served: the controller would" in asked
    assert "To go back to it at once: slipway rollback production --revision 1 --unverified. To judge it" in asked
