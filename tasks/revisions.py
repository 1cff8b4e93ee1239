"""The revisions that a Rollout can go back to, and whether the application is well after it did."""

from datetime import timedelta

from prefect import task

from delivery.environment import Environment
from delivery.errors import ChecksFailed, Refused, RollBackFailed
from delivery.reading import Reading, ReplicaSet
from tasks.checks import read_status
from tasks.systems import connect_system
from tasks.waiting import ASKED_AGAIN, poll_until

# The guide looks once, half a minute after the rollback.
HEALTHY_WITHIN = timedelta(seconds=30)


@task(**ASKED_AGAIN, task_run_name="choose revision {revision}")
def choose_revision(environment: Environment, revision: int | None) -> ReplicaSet:
    """The revision with this number. Raises Refused, with the list of all, where there is none."""
    reading = connect_system(environment).read()
    chosen = next((found for found in reading.replica_sets if found.revision == revision), None)
    if chosen is None:
        said = "No revision was named." if revision is None else f"There is no revision {revision}."
        listed = "".join(f"\n  {revision}" for revision in describe_revisions(reading))
        raise Refused(f"{said} Rollout {reading.name} can go back to:{listed}\n")
    if not chosen.artifact_digest:
        raise Refused(
            f"Revision {revision} runs {chosen.image}, which names no digest: it may be another image by now."
        )
    return chosen


def describe_revisions(reading: Reading) -> list[str]:
    """Newest first; numbers move when a revision is used again, hence the digest and the time."""
    return [
        f"{found.revision}: {found.artifact_digest or found.image}, made {found.created_at}"
        f"{', serves now' if found.hash == reading.stable_hash else ''}"
        for found in reading.replica_sets
    ]


@task(**ASKED_AGAIN, task_run_name="confirm the health of {environment.name}")
def confirm_health(environment: Environment) -> str:
    """The backend answers 200 by the front door; ChecksFailed where it did not within half a minute."""
    url = f"{environment.application.api_url}/actuator/health"
    status, is_healthy = poll_until(
        lambda: read_status(environment, url),
        lambda seen: seen == 200,
        poll=environment.canary.poll,
        deadline=HEALTHY_WITHIN,
    )
    if not is_healthy:
        raise ChecksFailed(f"After the rollback {url} answers {status or 'nothing'}, wanted 200. Look at its log.")
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
