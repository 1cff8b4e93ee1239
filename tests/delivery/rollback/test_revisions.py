from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.errors import Refused
from delivery.release import Event, Record
from delivery.rollback.revisions import (
    Target,
    choose_target,
    describe_kept_since,
    describe_number,
    describe_unjudged_steps,
    name_revision,
)
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tests.delivery.rollout.objects import CANARY, STABLE, aborted, at_pause, done, replica_set

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
OLD = "58aa"
DIGESTS = {STABLE: "sha256:" + "1" * 64, CANARY: "sha256:" + "2" * 64, OLD: "sha256:" + "3" * 64}
EventOfStep = tuple[str, Event, dict[str, Any]]


def journal(*events: EventOfStep) -> tuple[Record, ...]:
    return tuple(
        Record(sequence=i, at=AT, step=step, event=event, detail=detail)
        for i, (step, event, detail) in enumerate(events)
    )


def found_stable(pod_hash: str, current: str = "") -> EventOfStep:
    return "Application/Rollout backend", Event.INTENDED, {"stable_hash": pod_hash, "current_hash": current or pod_hash}


def made(pod_hash: str) -> EventOfStep:
    return "Application/Rollout backend", Event.DONE, {"revision": pod_hash}


def recovers(number: int) -> EventOfStep:
    return "Lock", Event.STARTED, {"artifact_digest": DIGESTS[STABLE], "plan_hash": None, "recovers": number}


def ended(outcome: str) -> EventOfStep:
    return "Lock", Event.ENDED, {"outcome": outcome, "message": ""}


def by_digest(snapshot: RolloutSnapshot) -> RolloutSnapshot:
    """The snapshot with a third revision; each image has its own digest."""
    found = (*snapshot.replica_sets, replica_set(OLD, "", 0, 0))
    return replace(
        snapshot, replica_sets=tuple(replace(each, image=f"r/backend@{DIGESTS[each.hash]}") for each in found)
    )


def choose(
    snapshot: RolloutSnapshot, journals: dict[int, tuple[Record, ...]], number: int | None, *, unverified: bool = False
) -> Target:
    return choose_target("production", by_digest(snapshot), journals, number, allow_unverified=unverified)


def test_a_revision_that_served_before_is_a_target() -> None:
    journals = {2: journal(found_stable(STABLE), made(CANARY), ended("Completed"))}
    assert choose(done(), journals, 1).replica_set.hash == STABLE


def test_a_revision_that_serves_all_traffic_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"Revision 2 already serves all traffic\. Rollout backend can be rolled back to:\n  1: "
    ):
        choose(done(), {2: journal(found_stable(STABLE))}, 2)


def test_the_release_that_created_a_canary_is_named_and_not_a_later_one_that_found_it() -> None:
    tried = journal(found_stable(STABLE), made(OLD), ended("Unfinished"))
    rolled_back = journal(found_stable(STABLE, current=OLD), ended("Completed"))
    with pytest.raises(Refused, match=r"Revision 0 was never promoted \(release 7: Unfinished\)\."):
        choose(done(), {8: rolled_back, 7: tried}, 0)


def test_the_list_marks_the_canary_in_progress_and_the_stable_revision() -> None:
    served = {1: journal(made(CANARY), ended("Completed"))}
    with pytest.raises(Refused) as refused:
        choose(at_pause(), served, None)
    first, second = str(refused.value).splitlines()[1:3]
    assert first.endswith(", the canary in progress, not judged")
    assert second.endswith(", the stable revision")


def test_a_canary_that_failed_is_refused_and_is_not_in_the_list() -> None:
    failed = journal(found_stable(STABLE), made(OLD), ended("RolledBack"))
    with pytest.raises(Refused) as refused:
        choose(done(), {2: journal(found_stable(STABLE)), 1: failed}, 0, unverified=True)
    message = str(refused.value)
    assert "Revision 0 was never promoted (release 1: RolledBack)." in message
    assert f"To release it again: slipway release production --digest {DIGESTS[OLD]}." in message
    assert message.partition("can be rolled back to:")[2].count("sha256:") == 1


def test_a_canary_whose_release_recorded_nothing_is_attributed_to_the_release_that_found_it() -> None:
    journals = {2: journal(found_stable(CANARY, current=OLD)), 1: journal(found_stable(STABLE))}
    with pytest.raises(Refused, match=r"\(release 2 has no recorded end\)"):
        choose(done(), journals, 0)


def test_a_canary_that_was_recovered_is_attributed_to_the_orphaned_release() -> None:
    orphaned = journal(found_stable(STABLE))
    recovery = journal(recovers(7), found_stable(STABLE, current=OLD), ended("Completed"))
    for journals in ({9: recovery, 7: orphaned}, {9: recovery}):
        with pytest.raises(Refused, match=r"was never promoted \(release 7 has no recorded end\)\."):
            choose(done(), journals, 0, unverified=True)


def test_the_revision_that_a_recovery_restored_is_a_target() -> None:
    journals = {9: journal(recovers(7), found_stable(STABLE, current=OLD), ended("Completed"))}
    assert choose(done(), journals, 1).replica_set.hash == STABLE


def test_a_revision_that_is_in_no_journal_is_accepted_only_as_unverified() -> None:
    with pytest.raises(Refused) as refused:
        choose(done(), {}, 1)
    assert "Revision 1 needs --unverified: no journal shows that it was promoted." in str(refused.value)
    assert "Rollout backend has no revision to roll back to." in str(refused.value)
    assert "because no journal shows that they were promoted:\n  1: " in str(refused.value)
    assert choose(done(), {}, 1, unverified=True).replica_set.hash == STABLE


def test_a_revision_that_was_promoted_is_a_target_even_if_a_check_failed() -> None:
    journals = {1: journal(found_stable(STABLE), made(OLD), ended("ChecksFailed"))}
    assert choose(done(), journals, 0).replica_set.hash == OLD


@pytest.mark.parametrize("outcome", ["Inconclusive", "Unfinished"])
def test_a_revision_that_was_promoted_is_a_target_whatever_the_verification_says(outcome: str) -> None:
    promoted = ("Application/Rollout backend", Event.PROMOTED, {})
    journals = {1: journal(found_stable(STABLE), made(OLD), promoted, ended(outcome))}
    assert choose(done(), journals, 0).replica_set.hash == OLD


@pytest.mark.parametrize("snapshot", [at_pause(), aborted()], ids=["at a pause", "aborted"])
def test_the_stable_revision_is_a_target_while_a_canary_is_in_progress(snapshot: RolloutSnapshot) -> None:
    assert choose(snapshot, {}, 1).replica_set.hash == STABLE
    with pytest.raises(Refused, match="Revision 2 "):
        choose(snapshot, {1: journal(found_stable(STABLE), made(CANARY))}, 2)


def test_an_image_without_a_digest_is_refused() -> None:
    snapshot = replace(done(), replica_sets=(replica_set(STABLE, "r/backend:latest", 1, 0),))
    with pytest.raises(Refused, match="Revision 1 runs r/backend:latest, which has a tag and no digest"):
        choose_target("production", snapshot, {}, 1, allow_unverified=True)


@pytest.mark.parametrize(("number", "reason"), [(None, "No revision was given."), (9, "Revision 9 does not exist.")])
def test_the_refusal_of_an_unknown_revision_lists_the_targets(number: int | None, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        choose(done(), {2: journal(found_stable(STABLE))}, number)
    listed = f"Rollout backend can be rolled back to:\n  1: {DIGESTS[STABLE]}, created "
    assert str(refused.value).startswith(f"{reason} {listed}")


def test_the_changes_of_releases_since_the_revision_served_are_named() -> None:
    ingress, stack = ("Application/Ingress front", Event.DONE, {}), ("Infrastructure/RDSStack", Event.DONE, {})
    journals = {
        3: journal(found_stable(CANARY), ingress),
        2: journal(stack, found_stable(STABLE), ingress, made(CANARY), ended("Completed")),
        1: journal(("Topics/clicks", Event.DONE, {})),
    }
    assert describe_kept_since(choose(done(), journals, 1)) == (
        "These changes of later releases stay: Infrastructure/RDSStack, Application/Ingress front."
    )


@pytest.mark.parametrize(
    ("pod_hash", "why"),
    [(CANARY, "revision 2 was created after the stable revision"), (OLD, "revision 0 is outside the rollback window")],
)
def test_a_rollback_says_why_it_runs_canary_steps_and_does_not_judge_them(pod_hash: str, why: str) -> None:
    snapshot = by_digest(first_serves_again())
    reason = describe_unjudged_steps(snapshot, pod_hash, name_revision(snapshot, pod_hash))
    assert reason == f"{why}, so the controller runs its canary steps; a rollback does not evaluate them"


def test_a_revision_that_has_a_new_number_is_reported_with_its_number_before() -> None:
    target = choose(done(), {2: journal(found_stable(STABLE))}, 1)
    again = replace(target.replica_set, revision=3)
    assert describe_number(target, replace(done(), replica_sets=(again,))) == (
        "It was revision 1: a revision that is used again gets a new number."
    )
    assert describe_number(target, done()) == ""


def test_a_revision_without_a_replica_set_is_named_by_its_hash() -> None:
    assert name_revision(done(), "9e9e") == "revision 9e9e"


def first_serves_again() -> RolloutSnapshot:
    """The first revision serves again after the second one."""
    return replace(done(), current_hash=STABLE, stable_hash=STABLE)


def test_a_target_that_is_in_no_journal_keeps_all_changes_of_later_releases() -> None:
    found: ReplicaSet = replica_set(OLD, "", 0, 0)
    assert describe_kept_since(Target(found, None)) == (
        "Changes of later releases to Services, Ingress, topics, settings and stacks stay."
    )
    assert describe_kept_since(Target(found, ())) == ""
