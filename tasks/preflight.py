"""Preflight: the checks before anything else is read or planned."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from clients.aws.account import read_account_id
from clients.aws.registry import has_image
from delivery.environment import Environment
from delivery.errors import Refused
from delivery.preflight import judge_preflight
from tasks.runs.waiting import RETRIED


@task(cache_policy=NO_CACHE, task_run_name="check AWS account and image of {artifact_digest}")
def run_preflight(environment: Environment, artifact_digest: str) -> None:
    """Raise Refused if the account is not the one of the environment, or if the image does not exist."""
    account_id = observe_account(environment)
    # The repository of another account says nothing about the image.
    is_right_account = account_id == environment.aws.account_id
    is_in_repository = observe_digest(environment, artifact_digest) if is_right_account else None
    plan = judge_preflight(environment, artifact_digest, account_id, is_in_repository)
    if plan.refusals:
        raise Refused(*plan.refusals)


@task(**RETRIED, task_run_name="read the AWS account of the credentials")
def observe_account(environment: Environment) -> str:
    """The account that the AWS credentials belong to."""
    return read_account_id(environment.aws.region)


@task(**RETRIED, task_run_name="find image {artifact_digest}")
def observe_digest(environment: Environment, artifact_digest: str) -> bool:
    """Whether the image repository of the environment contains the artifact digest."""
    return has_image(environment.application.repository, artifact_digest, environment.aws.region)
