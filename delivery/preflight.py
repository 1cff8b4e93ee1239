"""Whether a release may be planned at all: the right account, and an image that exists."""

from delivery.environment import Environment
from delivery.plan import PartPlan


def judge_preflight(
    environment: Environment, artifact_digest: str, account_id: str, has_image: bool | None
) -> PartPlan:
    """No steps; a sentence for each reason to refuse.

    account_id: of our credentials. has_image: None where the registry was not asked.
    """
    wanted = environment.aws
    refusals = []
    if account_id != wanted.account_id:
        refusals.append(
            f"The credentials belong to AWS account {account_id}, and {environment.name} is {wanted.account_id}. "
            "Use the right ones."
        )
    if has_image is False:
        refusals.append(
            f"{environment.application.repository} in {wanted.region} has no image {artifact_digest}. "
            "Push it, or name another digest."
        )
    return PartPlan(refusals=tuple(refusals))
