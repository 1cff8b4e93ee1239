"""The revision that a Rollout goes back to, and whether the application is well after it did."""

from typing import Any

from prefect import task

from delivery.canary.verdict import Verdict
from delivery.environment import Environment
from delivery.errors import ChecksFailed, DeliveryError, Refused, RollbackFailed, Unavailable
from delivery.rollback.revisions import Target, choose_target
from tasks.checks import check_address
from tasks.rollout.live import connect_rollout
from tasks.runs.waiting import ASKED_AGAIN
from tasks.state.history import read_journals_of


def name_choice(parameters: dict[str, Any]) -> str:
    """The name of a run of choose_revision with these parameters."""
    return "choose a revision" if parameters["revision"] is None else f"choose revision {parameters['revision']}"


# Prefect calls a name's function with the parameters where it takes them; its types do not tell.
CHOSEN: dict[str, Any] = {**ASKED_AGAIN, "task_run_name": name_choice}


@task(**CHOSEN)
def choose_revision(environment: Environment, revision: int | None, *, unverified: bool = False) -> Target:
    """The revision with this number, which served all traffic before, by the journals of past releases.

    unverified: also one of which no record shows that it served. Raises Refused, with the list of all targets.
    """
    snapshot = connect_rollout(environment).read()
    journals = read_journals_of(environment, snapshot)
    return choose_target(snapshot, journals, revision, allow_unverified=unverified)


@task(**ASKED_AGAIN, task_run_name="confirm revision {chosen.number}")
def confirm_revision(environment: Environment, chosen: Target, *, unverified: bool = False) -> Target:
    """The same revision, looked at again with the hold taken: what was waited for may have moved it.

    Raises Refused where it may not be gone back to any more.
    """
    now = choose_revision.fn(environment, chosen.number, unverified=unverified)
    if now.found.hash != chosen.found.hash:
        raise Refused(
            f"Revision {chosen.number} was {chosen.found.artifact_digest} when it was chosen; with the hold taken "
            f"it is {now.found.artifact_digest}. Choose again."
        )
    return now


@task(**ASKED_AGAIN, task_run_name="confirm the health of {environment.name}")
def confirm_health(environment: Environment, way_back: str) -> str:
    """The sentence of the way back, and that the backend answers 200 by the front door.

    Raises ChecksFailed, with that sentence, where it did not within half a minute.
    """
    url = environment.application.health_url
    check = check_address.fn(environment, "backend", url)
    if check.verdict is not Verdict.PASS:
        raise ChecksFailed(f"{way_back} Then the backend: saw {check.seen}, wanted {check.wanted}. Look at its log.")
    return f"{way_back} {url} answers 200."


@task(**ASKED_AGAIN, task_run_name="confirm the way back of {environment.name}")
def confirm_rollback(environment: Environment, way_back: str) -> str:
    """The sentence of the way back, with the health of what serves now; as it is where nothing was taken back.

    Raises RollbackFailed where traffic is back and the backend does not answer 200, with that sentence first.
    """
    if not way_back:
        return way_back
    try:
        is_gone = connect_rollout(environment).find() is None
        return way_back if is_gone else confirm_health.fn(environment, way_back)
    except ChecksFailed as error:
        raise RollbackFailed(str(error)) from error
    except Unavailable as error:
        raise Unavailable(f"{way_back} {error}") from error
    except DeliveryError as error:
        raise RollbackFailed(f"{way_back} {error}") from error
