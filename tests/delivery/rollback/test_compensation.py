from datetime import UTC, datetime

from delivery.errors import (
    ChecksFailed,
    NotPromoted,
    RollbackFailed,
    RolledBack,
    StackFailed,
    StopRequested,
    Unavailable,
    Unfinished,
    as_delivery_error,
)
from delivery.release import Event, Record
from delivery.rollback.compensation import (
    describe_kept,
    ending_after,
    ending_of_manual_rollback,
    ending_without_rollback,
)

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BACK = "Revision 41 serves all traffic."


def journal(*steps: tuple[str, Event]) -> tuple[Record, ...]:
    return tuple(Record(sequence=i, at=AT, step=step, event=event) for i, (step, event) in enumerate(steps))


def test_a_failure_before_any_effect_stays_what_it_was() -> None:
    failure = StackFailed("MSKStack failed.")
    assert ending_after(failure, journal(("Lock", Event.STARTED)), "") is failure


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


def test_a_revision_that_was_made_anew_is_not_named_as_kept() -> None:
    steps = ("Application/ReplicaSet backend-7c9f", "Application/Ingress front")
    assert describe_kept(journal(*((step, Event.DONE) for step in steps))) == (
        "Kept as this release left them: Application/Ingress front."
    )


def test_a_service_that_was_applied_stays_and_is_named_and_nothing_was_rolled_back() -> None:
    done = journal(("Application/Service shop", Event.INTENDED), ("Application/Service shop", Event.DONE))
    ended = ending_after(StackFailed("The Ingress was refused."), done, "")
    assert isinstance(ended, Unfinished)
    assert "Kept as this release left them: Application/Service shop." in str(ended)


def test_a_way_back_that_failed_needs_a_person_and_keeps_the_reason_of_the_release() -> None:
    failure, fault = NotPromoted("91 % succeeded.", is_failure=True), Unavailable("The cluster does not answer.")
    ended = ending_without_rollback(failure, fault, journal(("Topics/clicks", Event.DONE)))
    assert isinstance(ended, RollbackFailed)
    assert str(ended) == ("91 % succeeded. The cluster does not answer. Kept as this release left them: Topics/clicks.")


def test_who_was_asked_to_stop_ends_so_and_says_it_once() -> None:
    stop = StopRequested("Ann asked this release to stop.")
    ended = ending_without_rollback(stop, StopRequested("Ann asked this release to stop."), ())
    assert isinstance(ended, StopRequested)
    assert str(ended) == str(stop)


def test_a_fault_of_ours_is_named_by_its_type() -> None:
    assert str(as_delivery_error(KeyError("phase"))) == "A fault in Slipway itself, KeyError: 'phase'."


def test_a_reason_that_the_way_back_repeats_is_told_once() -> None:
    stop = StopRequested("Ann asked this release to stop.")
    ended = ending_without_rollback(stop, StopRequested(f"{stop} The canary stays at 20 %."), ())
    assert str(ended) == "Ann asked this release to stop. The canary stays at 20 %."


def test_a_release_whose_journal_cannot_be_read_ends_by_its_way_back_and_says_that_more_may_be_kept() -> None:
    failure, unknown = NotPromoted("91 % succeeded.", is_failure=True), "its journal could not be read."
    back, lost = ending_after(failure, None, BACK), ending_without_rollback(failure, Unavailable("Away."), None)
    assert (type(back), type(lost)) == (RolledBack, RollbackFailed)
    assert str(back).startswith(f"91 % succeeded. {BACK} What is kept")
    assert str(back).endswith(unknown)
    assert str(lost).endswith(unknown)
    assert isinstance(ending_of_manual_rollback(Unavailable("Away."), None), RollbackFailed)


MOVED = journal(("Application/Rollout shop", Event.INTENDED))


def test_a_roll_back_by_hand_that_broke_off_once_it_had_moved_anything_needs_a_person() -> None:
    ended = ending_of_manual_rollback(Unavailable("The cluster does not answer."), MOVED)
    assert isinstance(ended, RollbackFailed)
    assert str(ended) == "The cluster does not answer."


def test_a_roll_back_by_hand_that_moved_nothing_ends_by_what_stopped_it() -> None:
    failure = Unavailable("The cluster does not answer.")
    assert ending_of_manual_rollback(failure, journal(("Lock", Event.STARTED))) is failure


def test_a_roll_back_by_hand_that_arrived_unwell_or_was_asked_to_stop_says_that() -> None:
    for failure in (ChecksFailed("503."), StopRequested("Ann asked."), RollbackFailed("It did not arrive.")):
        assert ending_of_manual_rollback(failure, MOVED) is failure
