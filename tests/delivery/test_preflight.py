"""Preflight, before the plan is made."""

from pathlib import Path

from delivery.plan import PartPlan
from delivery.preflight import judge_preflight
from tests.environments import production

PRODUCTION = production(Path("/nowhere"))
DIGEST = "sha256:" + "a" * 64


def test_the_account_of_the_environment_and_an_existing_image_pass() -> None:
    assert judge_preflight(PRODUCTION, DIGEST, "123456789012", True) == PartPlan()


def test_another_account_is_refused_with_both_account_numbers() -> None:
    plan = judge_preflight(PRODUCTION, DIGEST, "210987654321", None)
    assert plan.refusals == (
        "The AWS credentials belong to account 210987654321, but production is in account 123456789012. "
        "Use credentials of account 123456789012.",
    )


def test_an_unknown_digest_is_refused_with_repository_and_region() -> None:
    plan = judge_preflight(PRODUCTION, DIGEST, "123456789012", False)
    assert plan.refusals == (
        f"The image repository genai-demo/backend in us-east-1 does not contain {DIGEST}. "
        "Push the image, or use another digest.",
    )
