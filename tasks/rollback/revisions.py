"""The revision to which a Rollout is rolled back, and whether the application is healthy after that."""

from typing import Any

from prefect import task

from delivery.canary.verdict import Verdict
from delivery.check import Check, describe_check
from delivery.environment import Environment
from delivery.errors import ChecksFailed, DeliveryError, Refused, RollbackFailed, Unavailable
from delivery.rollback.revisions import Target, choose_target
from tasks.checks import read_address_check
from tasks.rollout.live import connect_rollout
from tasks.runs.waiting import RETRIED
from tasks.state.history import read_journals_of


def name_choice(parameters: dict[str, Any]) -> str:
    """The name of a task run of choose_revision with these parameters."""
    return "choose a revision" if parameters["revision"] is None else f"choose revision {parameters['revision']}"


# Prefect calls the function of a task run's name with the parameters if it accepts them; its types do not say so.
CHOICE_OPTIONS: dict[str, Any] = {**RETRIED, "task_run_name": name_choice}


@task(**CHOICE_OPTIONS)
def choose_revision(environment: Environment, revision: int | None, *, unverified: bool = False) -> Target:
    """The revision with this number, which served all traffic before according to the journals.

    unverified: accept also a revision that is in no journal. Raises Refused with the list of all targets.
    """
    return read_target(environment, revision, unverified=unverified)


def read_target(environment: Environment, revision: int | None, *, unverified: bool = False) -> Target:
    snapshot = connect_rollout(environment).read()
    journals = read_journals_of(environment, snapshot)
    return choose_target(environment.name, snapshot, journals, revision, allow_unverified=unverified)


@task(**RETRIED, task_run_name="confirm revision {chosen.number}")
def confirm_revision(environment: Environment, chosen: Target, *, unverified: bool = False) -> Target:
    """The same revision, read again under the lock: a release before this one may have changed the Rollout.

    Raises Refused if a rollback to it is not possible any more.
    """
    now = read_target(environment, chosen.number, unverified=unverified)
    if now.replica_set.hash != chosen.replica_set.hash:
        raise Refused(
            f"Revision {chosen.number} was {chosen.replica_set.artifact_digest} when it was chosen. After the lock was "
            f"acquired, revision {chosen.number} was {now.replica_set.artifact_digest}. To see the revisions to choose "
            f"from: slipway status {environment.name}."
        )
    return now


@task(**RETRIED, task_run_name="confirm the health of {environment.name}")
def confirm_health(environment: Environment, rollback: str) -> str:
    """The sentence of the rollback, and that the backend answers HTTP 200 at its public endpoint.

    Raises ChecksFailed with this sentence if it did not within 30 s.
    """
    return check_health(environment, rollback)


def check_health(environment: Environment, rollback: str) -> str:
    url = environment.application.health_url
    return require_healthy(rollback, url, read_address_check(environment, "backend", url))


def require_healthy(rollback: str, url: str, check: Check) -> str:
    """The sentence of the rollback, and that the URL answers. Raises ChecksFailed with this sentence if it does not."""
    if check.verdict is Verdict.INCONCLUSIVE:
        raise ChecksFailed(f"{rollback} But {describe_check(check)}")
    if check.verdict is Verdict.FAIL:
        raise ChecksFailed(f"{rollback} But {url} returned {check.seen} (expected HTTP 200). Read the backend's log.")
    return f"{rollback} {url} answers 200."


@task(**RETRIED, task_run_name="confirm the rollback of {environment.name}")
def confirm_rollback(environment: Environment, rollback: str) -> str:
    """The sentence of the rollback, and the health of the revision that serves now.

    Nothing is checked if the sentence is empty, because nothing was rolled back, or if the Rollout was deleted. Raises
    RollbackFailed with the sentence if the backend does not answer HTTP 200.
    """
    if not rollback:
        return rollback
    try:
        is_deleted = connect_rollout(environment).find() is None
        return rollback if is_deleted else check_health(environment, rollback)
    except ChecksFailed as error:
        raise RollbackFailed(str(error)) from error
    except Unavailable as error:
        raise Unavailable(f"{rollback} {error}") from error
    except DeliveryError as error:
        raise RollbackFailed(f"{rollback} {error}") from error
