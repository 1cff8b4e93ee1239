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
    final_error,
    final_error_of_manual_rollback,
    final_error_without_rollback,
)

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ROLLBACK = "Revision 41 serves all traffic."


def journal(*steps: tuple[str, Event]) -> tuple[Record, ...]:
    return tuple(Record(sequence=i, at=AT, step=step, event=event) for i, (step, event) in enumerate(steps))


def test_a_failure_before_any_effect_is_the_error_of_the_release() -> None:
    failure = StackFailed("MSKStack failed.")
    assert final_error(failure, journal(("Lock", Event.STARTED)), "") is failure


def test_a_failed_canary_ends_rolled_back_with_the_reason_and_the_rollback() -> None:
    error = final_error(
        NotPromoted("91 % succeeded.", is_failure=True), journal(("Canary/20 %", Event.INTENDED)), ROLLBACK
    )
    assert isinstance(error, RolledBack)
    assert str(error) == f"91 % succeeded. {ROLLBACK}"


def test_a_failed_stack_leaves_nothing_to_roll_back_and_a_person_to_decide() -> None:
    error = final_error(StackFailed("MSKStack failed."), journal(("Infrastructure/NetworkStack", Event.INTENDED)), "")
    assert isinstance(error, Unfinished)
    assert str(error) == (
        "MSKStack failed. The traffic was not changed. "
        "Fix the cause, then start the release again: it continues from this state."
    )


def test_stacks_and_topics_that_stay_are_named() -> None:
    done = journal(("Infrastructure/RDSStack", Event.DONE), ("Topics/clicks", Event.DONE), ("Canary/20 %", Event.DONE))
    assert describe_kept(done) == "These changes of this release stay: Infrastructure/RDSStack, Topics/clicks."


def test_the_changes_of_another_release_are_named_with_its_number() -> None:
    done = journal(("Topics/clicks", Event.DONE))
    assert describe_kept(done, "release 7") == "These changes of release 7 stay: Topics/clicks."


def test_a_replica_set_that_was_created_again_is_not_named_as_a_change() -> None:
    steps = ("Application/ReplicaSet backend-7c9f", "Application/Ingress front")
    assert describe_kept(journal(*((step, Event.DONE) for step in steps))) == (
        "These changes of this release stay: Application/Ingress front."
    )


def test_a_service_that_was_applied_stays_and_is_named_and_nothing_was_rolled_back() -> None:
    done = journal(("Application/Service shop", Event.INTENDED), ("Application/Service shop", Event.DONE))
    error = final_error(StackFailed("The Ingress was refused."), done, "")
    assert isinstance(error, Unfinished)
    assert "These changes of this release stay: Application/Service shop." in str(error)


def test_a_failed_rollback_needs_a_person_and_keeps_the_reason_of_the_release() -> None:
    failure = NotPromoted("91 % succeeded.", is_failure=True)
    rollback_error = Unavailable("The cluster does not answer.")
    error = final_error_without_rollback(failure, rollback_error, journal(("Topics/clicks", Event.DONE)))
    assert isinstance(error, RollbackFailed)
    assert str(error) == (
        "91 % succeeded. The cluster does not answer. These changes of this release stay: Topics/clicks."
    )


def test_a_stop_request_is_the_error_of_the_release_and_is_reported_once() -> None:
    stop = StopRequested("Ann asked this release to stop.")
    error = final_error_without_rollback(stop, StopRequested("Ann asked this release to stop."), ())
    assert isinstance(error, StopRequested)
    assert str(error) == str(stop)


def test_an_unexpected_error_is_named_by_its_type() -> None:
    assert str(as_delivery_error(KeyError("phase"))) == (
        "Internal error (KeyError: 'phase'). The traceback is in the flow run's log."
    )


def test_a_reason_that_the_rollback_repeats_is_reported_once() -> None:
    stop = StopRequested("Ann asked this release to stop.")
    error = final_error_without_rollback(stop, StopRequested(f"{stop} The canary stays at 20 %."), ())
    assert str(error) == "Ann asked this release to stop. The canary stays at 20 %."


def test_a_release_whose_journal_cannot_be_read_ends_by_its_rollback_and_says_that_more_changes_may_stay() -> None:
    failure, unknown = NotPromoted("91 % succeeded.", is_failure=True), "its journal could not be read."
    rolled_back = final_error(failure, None, ROLLBACK)
    not_rolled_back = final_error_without_rollback(failure, Unavailable("Away."), None)
    assert (type(rolled_back), type(not_rolled_back)) == (RolledBack, RollbackFailed)
    assert str(rolled_back).startswith(f"91 % succeeded. {ROLLBACK} It is unknown which changes of this release stay")
    assert str(rolled_back).endswith(unknown)
    assert str(not_rolled_back).endswith(unknown)
    assert isinstance(final_error_of_manual_rollback(Unavailable("Away."), None), RollbackFailed)


WITH_EFFECT = journal(("Application/Rollout shop", Event.INTENDED))


def test_a_manual_rollback_that_fails_after_its_first_effect_needs_a_person() -> None:
    error = final_error_of_manual_rollback(Unavailable("The cluster does not answer."), WITH_EFFECT)
    assert isinstance(error, RollbackFailed)
    assert str(error) == "The cluster does not answer."


def test_a_manual_rollback_that_fails_before_its_first_effect_ends_with_the_failure() -> None:
    failure = Unavailable("The cluster does not answer.")
    assert final_error_of_manual_rollback(failure, journal(("Lock", Event.STARTED))) is failure


def test_a_manual_rollback_that_is_unhealthy_stopped_or_failed_ends_with_that_error() -> None:
    for failure in (ChecksFailed("503."), StopRequested("Ann asked."), RollbackFailed("It failed.")):
        assert final_error_of_manual_rollback(failure, WITH_EFFECT) is failure
