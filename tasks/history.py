"""What the last release did and left behind."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.settings import load_environment
from delivery.environment import Environment
from delivery.errors import DeliveryError
from delivery.history import describe_unfinished
from delivery.release import has_effects
from tasks.journal import last_release_number, read_journal, read_request


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
        number = last_release_number(settings)
        if number is None or read_request(settings, number).get("flow_run") != flow_run:
            return False
        return has_effects(read_journal(settings, number))
    except DeliveryError:
        return True
