"""The revision that a Rollout goes back to, and whether the application is well after it did."""

from datetime import UTC, datetime
from http import HTTPStatus

from prefect import task

from delivery.environment import Environment
from delivery.errors import ChecksFailed, Refused, RollBackFailed
from delivery.reading import Reading
from delivery.revisions import Target, choose_target
from tasks.checks import wait_for_answer
from tasks.history import read_journals_since
from tasks.systems import connect_system
from tasks.waiting import ASKED_AGAIN


@task(**ASKED_AGAIN, task_run_name="choose revision {revision}")
def choose_revision(environment: Environment, revision: int | None, *, unjudged: bool = False) -> Target:
    """The revision with this number, which served all traffic before, by the journals of past releases.

    unjudged: one of which no journal tells, too. Raises Refused, with the list of all that can be gone back to.
    """
    reading = connect_system(environment).read()
    journals = read_journals_since(environment, oldest_revision(reading))
    return choose_target(reading, journals, revision, is_unjudged_taken=unjudged)


@task(**ASKED_AGAIN, task_run_name="confirm revision {chosen.number}")
def confirm_revision(environment: Environment, chosen: Target, *, unjudged: bool = False) -> Target:
    """The same revision, looked at again with the hold taken: what was waited for may have moved it.

    Raises Refused where it may not be gone back to any more.
    """
    now = choose_revision.fn(environment, chosen.number, unjudged=unjudged)
    if now.found.hash != chosen.found.hash:
        raise Refused(
            f"Revision {chosen.number} was {chosen.found.artifact_digest} when it was chosen; with the hold taken "
            f"it is {now.found.artifact_digest}. Choose again."
        )
    return now


def oldest_revision(reading: Reading) -> datetime:
    """When the oldest revision that is left was made; now where there is none."""
    made = [datetime.fromisoformat(found.created_at) for found in reading.replica_sets]
    return min(made, default=datetime.now(UTC))


@task(**ASKED_AGAIN, task_run_name="confirm the health of {environment.name}")
def confirm_health(environment: Environment) -> str:
    """The backend answers 200 by the front door; ChecksFailed where it did not within half a minute."""
    url = environment.application.health_url
    status = wait_for_answer(environment, url)
    if status != HTTPStatus.OK:
        raise ChecksFailed(f"After the rollback {url} answers {status}, wanted 200. Look at its log.")
    return f"{url} answers 200."


@task(**ASKED_AGAIN, task_run_name="confirm the way back of {environment.name}")
def confirm_way_back(environment: Environment, way_back: str) -> str:
    """The sentence of the way back, with the health of what serves now; as it is where nothing was taken back.

    Raises RollBackFailed where traffic is back and the backend does not answer 200.
    """
    if not way_back or connect_system(environment).find() is None:
        return way_back
    try:
        return f"{way_back} {confirm_health.fn(environment)}"
    except ChecksFailed as error:
        raise RollBackFailed(f"{way_back} {error}") from error
