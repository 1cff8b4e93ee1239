"""Preflight: whether the AWS account is the right one and the image exists."""

from delivery.environment import Environment
from delivery.plan import PartPlan


def judge_preflight(
    environment: Environment, artifact_digest: str, account_id: str, has_image: bool | None
) -> PartPlan:
    """A plan without steps, with a refusal for each check that failed.

    account_id: of the AWS credentials. has_image: whether the image repository contains the artifact digest; None if
    it was not read.
    """
    aws, repository = environment.aws, environment.application.repository
    refusals = []
    if account_id != aws.account_id:
        refusals.append(
            f"The AWS credentials belong to account {account_id}, but {environment.name} is in account "
            f"{aws.account_id}. Use credentials of account {aws.account_id}."
        )
    if has_image is False:
        refusals.append(
            f"The image repository {repository} in {aws.region} does not contain {artifact_digest}. "
            "Push the image, or use another digest."
        )
    return PartPlan(refusals=tuple(refusals))
