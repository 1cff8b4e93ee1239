"""What earlier releases did and left behind, by their journals."""

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


@task(task_run_name="look at the last release to {environment.name}", cache_policy=NO_CACHE)
def observe_last_release(environment: Environment) -> tuple[str, ...]:
    """A sentence when the last release to the environment did not end; empty when it did, or when there was none."""
    number = last_release_number(environment)
    if number is None:
        return ()
    found = describe_unfinished(number, read_journal(environment, number))
    return (found,) if found else ()


def may_have_effects(environment: str, flow_run: str) -> bool:
    """Whether the run's release changed something, as its journal tells; True where that cannot be read."""
    try:
        settings = load_environment(environment)
        number = find_number(settings, flow_run)
        return number is not None and has_effects(read_journal(settings, number))
    except DeliveryError:
        return True


def read_journals_of(environment: Environment, snapshot: RolloutSnapshot) -> dict[int, tuple[Record, ...]]:
    """The journals that tell of a Rollout's revisions: back to when the oldest one that is left was made."""
    made = [datetime.fromisoformat(found.created_at) for found in snapshot.replica_sets]
    return read_journals_since(environment, min(made, default=datetime.now(UTC)))


def read_journals_since(environment: Environment, since: datetime) -> dict[int, tuple[Record, ...]]:
    """The journals of releases by their numbers, newest first, back to the one that was under way at that time."""
    return dict(_journals_back_to(environment, since))


def _journals_back_to(environment: Environment, since: datetime) -> Iterator[tuple[int, tuple[Record, ...]]]:
    for number in reversed(list_numbers(environment)):
        journal = read_journal(environment, number)
        yield number, journal
        if journal and journal[0].at < since:
            return
