from datetime import UTC, datetime

from delivery.compensation import describe_kept, ending_after
from delivery.errors import NotPromoted, RolledBack, StackFailed, Unfinished
from delivery.release import Event, Record

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BACK = "Revision 41 serves all traffic."


def journal(*steps: tuple[str, Event]) -> tuple[Record, ...]:
    return tuple(Record(sequence=i, at=AT, step=step, event=event) for i, (step, event) in enumerate(steps))


def test_a_failure_before_any_effect_stays_what_it_was() -> None:
    failure = StackFailed("MSKStack failed.")
    assert ending_after(failure, journal(("Hold", Event.STARTED)), "") is failure


def test_a_failed_canary_ends_rolled_back_with_reason_and_way_back() -> None:
    ended = ending_after(
        NotPromoted("91 % succeeded.", is_failure=True), journal(("Canary/20 %", Event.INTENDED)), BACK
    )
    assert isinstance(ended, RolledBack)
    assert str(ended) == f"91 % succeeded. {BACK}"


def test_a_failed_stack_leaves_nothing_to_take_back_and_a_person_to_decide() -> None:
    ended = ending_after(StackFailed("MSKStack failed."), journal(("Infrastructure/NetworkStack", Event.INTENDED)), "")
    assert isinstance(ended, Unfinished)
    assert str(ended) == (
        "MSKStack failed. Traffic was not touched. A release that is started again goes on from there."
    )


def test_stacks_and_topics_that_stay_are_named() -> None:
    done = journal(("Infrastructure/RDSStack", Event.DONE), ("Topics/clicks", Event.DONE), ("Canary/20 %", Event.DONE))
    assert describe_kept(done) == "Kept as this release left them: Infrastructure/RDSStack, Topics/clicks."
