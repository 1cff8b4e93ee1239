from dataclasses import replace
from datetime import UTC, datetime

from delivery.release import Event, Record
from delivery.report import ReleaseReport
from delivery.serving import as_serving, describe_serving
from tests.delivery.rollouts import CANARY_IMAGE, STABLE_IMAGE, at_pause, at_rest, done

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
FIRST, SECOND = "sha256:aa", "sha256:bb"


def release(number: int, digest: str, outcome: str) -> ReleaseReport:
    end = Record(sequence=0, at=AT, step="Hold", event=Event.ENDED, detail={"outcome": outcome, "message": "m"})
    return ReleaseReport(number, digest, "", (end,))


def test_what_serves_is_told_with_the_release_that_brought_it_and_the_ways_back() -> None:
    releases = [release(2, SECOND, "Completed"), release(1, FIRST, "Completed")]
    assert describe_serving("production", done(), releases) == (
        f"production serves revision 2, {SECOND}, by release 2, which completed at 2026-11-24 12:30 UTC.",
        "It can go back to:",
        f"  revision 1, {FIRST}, made 2026-11-24T12:01:00Z, release 1 of it: COMPLETED",
    )


def test_a_release_that_was_rolled_back_brought_nothing_and_is_told_at_its_revision() -> None:
    failed = replace(done(), current_hash=at_rest().stable_hash, stable_hash=at_rest().stable_hash)
    releases = [release(2, SECOND, "RolledBack"), release(1, FIRST, "Completed")]
    serves, _, way_back = describe_serving("production", failed, releases)
    assert serves.endswith(f"revision 1, {FIRST}, by release 1, which completed at 2026-11-24 12:30 UTC.")
    assert way_back.endswith("release 2 of it: ROLLED BACK")


def test_a_revision_that_no_release_brought_there_is_told_as_that() -> None:
    (serves, *_) = describe_serving("production", done(), [release(1, FIRST, "Completed")])
    assert serves.endswith(
        "which no release brought there: the last was release 1, which completed at 2026-11-24 12:30 UTC."
    )


def test_a_canary_under_way_is_told_with_its_share_and_is_no_way_back() -> None:
    _, canary, ways_back = describe_serving("production", at_pause(), [])
    assert canary == f"A canary is under way: revision 2, {SECOND} has 20 % of the traffic."
    assert ways_back == "There is no earlier revision to go back to."


def test_a_revision_by_tag_is_no_way_back() -> None:
    by_tag = tuple(replace(found, image="backend:latest") for found in done().replica_sets[1:])
    reading = replace(done(), replica_sets=(done().replica_sets[0], *by_tag))
    assert describe_serving("production", reading, [])[-1] == "There is no earlier revision to go back to."


def test_nothing_serves_before_the_first_installation() -> None:
    assert describe_serving("production", None, []) == ("production has no application yet.",)
    assert as_serving(None) is None


def test_a_program_gets_the_revision_and_its_ways_back() -> None:
    assert as_serving(done()) == {
        "revision": 2,
        "artifact_digest": CANARY_IMAGE.partition("@")[2],
        "made": "2026-11-24T12:02:00Z",
        "can_go_back_to": [
            {"revision": 1, "artifact_digest": STABLE_IMAGE.partition("@")[2], "made": "2026-11-24T12:01:00Z"}
        ],
    }
