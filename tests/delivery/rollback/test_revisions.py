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
    describe_unverified,
    name_revision,
)
from delivery.rollout.snapshot import ReplicaSet, RolloutSnapshot
from tests.delivery.rollout.objects import CANARY, STABLE, aborted, at_pause, done, replica_set

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
OLD = "58aa"
DIGESTS = {STABLE: "sha256:" + "1" * 64, CANARY: "sha256:" + "2" * 64, OLD: "sha256:" + "3" * 64}
Told = tuple[str, Event, dict[str, Any]]


def journal(*told: Told) -> tuple[Record, ...]:
    return tuple(
        Record(sequence=i, at=AT, step=step, event=event, detail=detail) for i, (step, event, detail) in enumerate(told)
    )


def found_stable(pod_hash: str, current: str = "") -> Told:
    return "Application/Rollout backend", Event.INTENDED, {"stable_hash": pod_hash, "current_hash": current or pod_hash}


def made(pod_hash: str) -> Told:
    return "Application/Rollout backend", Event.DONE, {"revision": pod_hash}


def recovers(number: int) -> Told:
    return "Lock", Event.STARTED, {"artifact_digest": DIGESTS[STABLE], "plan_hash": None, "recovers": number}


def ended(outcome: str) -> Told:
    return "Lock", Event.ENDED, {"outcome": outcome, "message": ""}


def by_digest(snapshot: RolloutSnapshot) -> RolloutSnapshot:
    """The reading with a third revision, each image named by a digest of its own."""
    found = (*snapshot.replica_sets, replica_set(OLD, "", 0, 0))
    return replace(
        snapshot, replica_sets=tuple(replace(each, image=f"r/backend@{DIGESTS[each.hash]}") for each in found)
    )


def choose(
    snapshot: RolloutSnapshot, journals: dict[int, tuple[Record, ...]], number: int | None, *, unverified: bool = False
) -> Target:
    return choose_target(by_digest(snapshot), journals, number, allow_unverified=unverified)


def test_a_revision_that_served_before_can_be_gone_back_to() -> None:
    journals = {2: journal(found_stable(STABLE), made(CANARY), ended("Completed"))}
    assert choose(done(), journals, 1).found.hash == STABLE


def test_a_revision_that_serves_all_traffic_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"Revision 2 serves all traffic already\. Rollout backend can go back to:\n  1: "
    ):
        choose(done(), {2: journal(found_stable(STABLE))}, 2)


def test_the_release_that_made_a_canary_is_named_and_not_one_that_found_it_later() -> None:
    tried = journal(found_stable(STABLE), made(OLD), ended("Unfinished"))
    rolled_back = journal(found_stable(STABLE, current=OLD), ended("Completed"))
    with pytest.raises(Refused, match="never served all traffic: release 7, which tried it, ended Unfinished"):
        choose(done(), {8: rolled_back, 7: tried}, 0)


def test_the_list_says_which_revision_is_the_canary_that_is_under_way() -> None:
    served = {1: journal(made(CANARY), ended("Completed"))}
    with pytest.raises(Refused) as refused:
        choose(at_pause(), served, None)
    first, second = str(refused.value).splitlines()[1:3]
    assert first.endswith(", the canary that is under way, unjudged")
    assert second.endswith(", the stable one")


def test_a_canary_that_failed_is_refused_and_the_list_leaves_it_out() -> None:
    failed = journal(found_stable(STABLE), made(OLD), ended("RolledBack"))
    with pytest.raises(Refused) as refused:
        choose(done(), {2: journal(found_stable(STABLE)), 1: failed}, 0, unverified=True)
    said = str(refused.value)
    assert "Revision 0 never served all traffic: release 1, which tried it, ended RolledBack." in said
    assert f"Only a release of {DIGESTS[OLD]} gives it traffic again, by a canary." in said
    assert said.partition("can go back to:")[2].count("sha256:") == 1


def test_a_canary_whose_release_died_is_known_by_the_release_that_found_it() -> None:
    journals = {2: journal(found_stable(CANARY, current=OLD)), 1: journal(found_stable(STABLE))}
    with pytest.raises(Refused, match="release 2, which found it under way, did not end"):
        choose(done(), journals, 0)


def test_a_canary_that_was_recovered_is_known_by_the_release_that_died() -> None:
    died = journal(found_stable(STABLE))
    recovery = journal(recovers(7), found_stable(STABLE, current=OLD), ended("Completed"))
    for journals in ({9: recovery, 7: died}, {9: recovery}):
        with pytest.raises(Refused, match="never served all traffic: release 7, which tried it, did not end"):
            choose(done(), journals, 0, unverified=True)


def test_what_a_recovery_brought_back_did_serve() -> None:
    journals = {9: journal(recovers(7), found_stable(STABLE, current=OLD), ended("Completed"))}
    assert choose(done(), journals, 1).found.hash == STABLE


def test_a_revision_of_which_no_journal_tells_is_taken_only_where_that_is_said_outright() -> None:
    with pytest.raises(Refused) as refused:
        choose(done(), {}, 1)
    assert "Revision 1 may never have been judged: no journal tells that it served." in str(refused.value)
    assert "can go back to: nothing." in str(refused.value)
    assert "--unverified takes them all the same:\n  1: " in str(refused.value)
    assert choose(done(), {}, 1, unverified=True).found.hash == STABLE


def test_a_revision_that_was_promoted_and_replaced_by_others_hands_did_serve() -> None:
    journals = {1: journal(found_stable(STABLE), made(OLD), ended("ChecksFailed"))}
    assert choose(done(), journals, 0).found.hash == OLD


@pytest.mark.parametrize("outcome", ["Inconclusive", "Unfinished"])
def test_a_revision_that_was_promoted_did_serve_however_the_look_at_the_result_ended(outcome: str) -> None:
    promoted = ("Application/Rollout backend", Event.PROMOTED, {})
    journals = {1: journal(found_stable(STABLE), made(OLD), promoted, ended(outcome))}
    assert choose(done(), journals, 0).found.hash == OLD


@pytest.mark.parametrize("snapshot", [at_pause(), aborted()], ids=["at a pause", "aborted"])
def test_while_a_canary_is_under_way_the_stable_revision_can_be_gone_back_to(snapshot: RolloutSnapshot) -> None:
    assert choose(snapshot, {}, 1).found.hash == STABLE
    with pytest.raises(Refused, match="Revision 2 "):
        choose(snapshot, {1: journal(found_stable(STABLE), made(CANARY))}, 2)


def test_an_image_without_a_digest_is_refused() -> None:
    snapshot = replace(done(), replica_sets=(replica_set(STABLE, "r/backend:latest", 1, 0),))
    with pytest.raises(Refused, match="Revision 1 runs r/backend:latest, which names no digest"):
        choose_target(snapshot, {}, 1, allow_unverified=True)


@pytest.mark.parametrize(("number", "said"), [(None, "No revision was named."), (9, "There is no revision 9.")])
def test_no_known_revision_lists_what_can_be_gone_back_to(number: int | None, said: str) -> None:
    with pytest.raises(Refused) as refused:
        choose(done(), {2: journal(found_stable(STABLE))}, number)
    assert str(refused.value).startswith(f"{said} Rollout backend can go back to:\n  1: {DIGESTS[STABLE]}, made ")


def test_what_releases_changed_since_the_revision_served_is_named_as_kept() -> None:
    ingress, stack = ("Application/Ingress front", Event.DONE, {}), ("Infrastructure/RDSStack", Event.DONE, {})
    journals = {
        3: journal(found_stable(CANARY), ingress),
        2: journal(stack, found_stable(STABLE), ingress, made(CANARY), ended("Completed")),
        1: journal(("Topics/clicks", Event.DONE, {})),
    }
    assert describe_kept_since(choose(done(), journals, 1)) == (
        "Kept as the releases since left them: Infrastructure/RDSStack, Application/Ingress front."
    )


@pytest.mark.parametrize(
    ("pod_hash", "why"),
    [(CANARY, "revision 2 was made after the one that serves"), (OLD, "revision 0 is outside the rollback window")],
)
def test_a_step_that_nobody_judges_on_a_way_back_says_why_it_is_there(pod_hash: str, why: str) -> None:
    snapshot = by_digest(at_rest_of_both())
    said = describe_unverified(snapshot, pod_hash, name_revision(snapshot, pod_hash))
    assert said == f"{why}, so the controller gives it steps, which nobody judges on a way back"


def test_a_revision_that_came_back_under_another_number_says_which_one_it_was() -> None:
    target = choose(done(), {2: journal(found_stable(STABLE))}, 1)
    again = replace(target.found, revision=3)
    assert describe_number(target, replace(done(), replica_sets=(again,))) == (
        "It was revision 1: one that is used again gets a new number."
    )
    assert describe_number(target, done()) == ""


def test_a_revision_without_a_replica_set_is_told_by_its_hash() -> None:
    assert name_revision(done(), "9e9e") == "revision 9e9e"


def at_rest_of_both() -> RolloutSnapshot:
    """The first revision serves again, after the second one did."""
    return replace(done(), current_hash=STABLE, stable_hash=STABLE)


def test_where_no_journal_tells_since_when_everything_else_is_said_to_stay() -> None:
    found: ReplicaSet = replica_set(OLD, "", 0, 0)
    assert describe_kept_since(Target(found, None)) == (
        "Services, Ingress, topics, settings and stacks stay as the releases since left them."
    )
    assert describe_kept_since(Target(found, ())) == ""
