"""What has to be true before anything else is looked at."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from clients.aws.account import read_account_id
from clients.aws.registry import has_image
from delivery.environment import Environment
from delivery.errors import Refused
from delivery.preflight import judge_preflight
from tasks.runs.waiting import ASKED_AGAIN


@task(cache_policy=NO_CACHE, task_run_name="check account and image of {artifact_digest}")
def admit(environment: Environment, artifact_digest: str) -> None:
    """Raise Refused in another account than the environment names, and for an image that does not exist."""
    account_id = observe_account(environment)
    # Another account's registry answers nothing that matters here.
    is_right = account_id == environment.aws.account_id
    found = observe_digest(environment, artifact_digest) if is_right else None
    plan = judge_preflight(environment, artifact_digest, account_id, found)
    if plan.refusals:
        raise Refused(*plan.refusals)


@task(**ASKED_AGAIN, task_run_name="ask AWS for the account")
def observe_account(environment: Environment) -> str:
    """The account that our credentials belong to."""
    return read_account_id(environment.aws.region)


@task(**ASKED_AGAIN, task_run_name="look for {artifact_digest}")
def observe_digest(environment: Environment, artifact_digest: str) -> bool:
    """Whether the environment's image repository holds the artifact."""
    return has_image(environment.application.repository, artifact_digest, environment.aws.region)
