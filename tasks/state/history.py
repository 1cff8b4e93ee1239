"""What earlier releases did, according to their journals."""

from collections.abc import Iterator
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.settings import load_environment
from delivery.environment import Environment
from delivery.errors import DeliveryError
from delivery.release import Record, has_effects
from delivery.rollback.history import describe_unfinished
from delivery.rollout.snapshot import RolloutSnapshot
from tasks.state.journal import find_number, list_numbers, read_journal
from tasks.state.lock import read_lock


@task(task_run_name="read the journal of the last release to {environment.name}", cache_policy=NO_CACHE)
def check_last_release(environment: Environment) -> tuple[str, ...]:
    """For the plan: a sentence about the last release if it has no recorded end."""
    return find_unfinished(environment)


def find_unfinished(environment: Environment, now: datetime | None = None) -> tuple[str, ...]:
    """A sentence about the last release if it has no recorded end; empty if it ended, or if there was none.

    The release that has the lock is in progress, so the one before it counts. Under the lock, this skips the release
    of the caller.
    """
    number = find_last_number(environment, now or datetime.now(UTC))
    unfinished = describe_unfinished(number, read_journal(environment, number)) if number is not None else None
    return (unfinished,) if unfinished else ()


def find_last_number(environment: Environment, now: datetime) -> int | None:
    """The number of the last release that does not have the lock; None if there is none, or if it is unknown.

    It is unknown while a release has the lock and no number yet: the newest number may be its own.
    """
    # The lock is read after the numbers, so that the lock of a release in the list is found.
    numbers, lock = list_numbers(environment), read_lock(environment)
    if lock is None or lock.is_over(now):
        return max(numbers, default=None)
    if lock.number is None:
        return None
    return max((number for number in numbers if number != lock.number), default=None)


def may_have_effects(environment_name: str, flow_run: str) -> bool:
    """Whether the release of this run has effects in its journal. True if the journal cannot be read."""
    try:
        environment = load_environment(environment_name)
        number = find_number(environment, flow_run)
        return number is not None and has_effects(read_journal(environment, number))
    except DeliveryError:
        return True


def read_journals_of(environment: Environment, snapshot: RolloutSnapshot) -> dict[int, tuple[Record, ...]]:
    """The journals for a Rollout's revisions, newest first, since its oldest ReplicaSet was created."""
    created = [datetime.fromisoformat(replica_set.created_at) for replica_set in snapshot.replica_sets]
    return read_journals_since(environment, min(created, default=datetime.now(UTC)))


def read_journals_since(environment: Environment, since: datetime) -> dict[int, tuple[Record, ...]]:
    """The journals of releases by number, newest first. The last one is of the release in progress at that time."""
    return dict(_journals_since(environment, since))


def _journals_since(environment: Environment, since: datetime) -> Iterator[tuple[int, tuple[Record, ...]]]:
    for number in reversed(list_numbers(environment)):
        journal = read_journal(environment, number)
        yield number, journal
        if journal and journal[0].at < since:
            return
