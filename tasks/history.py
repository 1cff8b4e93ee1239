"""What the last release left behind."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from delivery.environment import Environment
from delivery.history import describe_unfinished
from tasks.journal import last_release_number, read_journal


@task(task_run_name="look at the last release to {environment.name}", cache_policy=NO_CACHE)
def observe_last_release(environment: Environment) -> tuple[str, ...]:
    """A sentence when the last release to the environment did not end; empty when it did, or when there was none."""
    number = last_release_number(environment)
    if number is None:
        return ()
    found = describe_unfinished(number, read_journal(environment, number))
    return (found,) if found else ()
