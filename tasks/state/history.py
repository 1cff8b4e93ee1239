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
from tasks.state.journal import find_number, last_release_number, list_numbers, read_journal


@task(task_run_name="read the journal of the last release to {environment.name}", cache_policy=NO_CACHE)
def check_last_release(environment: Environment) -> tuple[str, ...]:
    """For the plan: a sentence about the last release if it did not end."""
    return find_unfinished(environment)


def find_unfinished(environment: Environment) -> tuple[str, ...]:
    """A sentence about the last release if it did not end; empty if it ended, or if there was none."""
    number = last_release_number(environment)
    if number is None:
        return ()
    unfinished = describe_unfinished(number, read_journal(environment, number))
    return (unfinished,) if unfinished else ()


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
