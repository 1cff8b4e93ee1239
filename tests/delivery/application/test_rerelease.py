from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from delivery.application.planning import clean_template
from delivery.application.rerelease import ambiguous_revisions, describe_ambiguous_revision
from delivery.release import Record
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tests.delivery.rollback.test_revisions import ended, found_stable, journal, made
from tests.delivery.rollout.objects import CANARY, STABLE, aborted, at_pause, done, idle, replica_set

DIGEST = f"sha256:{'1' * 64}"
THIRD = "58aa"


def template_of(snapshot: RolloutSnapshot, pod_hash: str) -> Mapping[str, Any]:
    revision = snapshot.replica_set(pod_hash)
    assert revision is not None
    return clean_template(revision.template)


def ambiguous_numbers(snapshot: RolloutSnapshot, pod_hash: str) -> list[int]:
    """The numbers of the ambiguous revisions if the template of this one is released."""
    return [revision.revision for revision in ambiguous_revisions(snapshot, template_of(snapshot, pod_hash))]


def describe(journals: dict[int, tuple[Record, ...]]) -> str | None:
    """Of the first revision, which is recent and does not serve."""
    revision: ReplicaSet = replica_set(STABLE, f"registry/backend@{DIGEST}", 1, 0)
    return describe_ambiguous_revision("production", revision, journals)


def test_a_recent_revision_is_ambiguous() -> None:
    assert ambiguous_numbers(done(), STABLE) == [1]


def test_a_revision_that_serves_or_whose_canary_is_under_way_is_not_ambiguous() -> None:
    assert ambiguous_numbers(idle(), STABLE) == []
    assert ambiguous_numbers(done(), CANARY) == []
    assert ambiguous_numbers(at_pause(), CANARY) == []


def test_an_older_revision_whose_canary_is_under_way_is_not_ambiguous() -> None:
    """Another writer started this canary: the stable revision is newer than the canary's."""
    snapshot = replace(at_pause(), current_hash=STABLE, stable_hash=CANARY)
    assert ambiguous_numbers(snapshot, STABLE) == []


def test_an_aborted_canary_is_newer_than_the_stable_revision_and_not_ambiguous() -> None:
    assert ambiguous_numbers(aborted(), CANARY) == []


def test_a_revision_outside_the_rollback_window_is_not_ambiguous() -> None:
    assert ambiguous_numbers(replace(done(), rollback_window=0), STABLE) == []


def test_a_release_of_a_revision_that_served_is_refused_with_both_commands() -> None:
    assert describe({2: journal(found_stable(STABLE), made(CANARY), ended("Completed"))}) == (
        f"{DIGEST} is revision 1, which served before. Without --canary, Argo Rollouts skips the canary steps, because "
        "this revision is in the rollback window. To give it all traffic now: slipway rollback production --revision "
        f"1. To run a canary: slipway release production --digest {DIGEST} --canary (in Prefect: canary=true)."
    )


def test_a_release_of_a_revision_whose_canary_failed_is_not_refused() -> None:
    assert describe({2: journal(found_stable(CANARY), made(STABLE), ended("RolledBack"))}) is None


def test_a_release_of_a_revision_that_served_is_refused_although_its_last_canary_failed() -> None:
    failed = journal(found_stable(CANARY), made(STABLE), ended("RolledBack"))
    assert "which served before" in (describe({3: failed, 2: journal(found_stable(STABLE), made(CANARY))}) or "")


def test_a_release_of_a_revision_in_no_journal_is_refused_with_the_flag_unverified() -> None:
    refusal = describe({2: journal(found_stable(CANARY), made(THIRD), ended("RolledBack"))}) or ""
    assert f"{DIGEST} is revision 1, and no journal shows whether it was promoted. Without --canary," in refusal
    assert "To give it all traffic now: slipway rollback production --revision 1 --unverified. To run" in refusal
