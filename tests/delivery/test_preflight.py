"""Whether a release may be planned at all."""

from pathlib import Path

from delivery.plan import PartPlan
from delivery.preflight import judge_preflight
from tests.environments import production

PRODUCTION = production(Path("/nowhere"))
DIGEST = "sha256:" + "a" * 64


def test_the_named_account_and_a_known_image_are_admitted() -> None:
    assert judge_preflight(PRODUCTION, DIGEST, "123456789012", True) == PartPlan()


def test_another_account_is_refused_by_both_numbers() -> None:
    plan = judge_preflight(PRODUCTION, DIGEST, "210987654321", None)
    assert plan.refusals == (
        "The credentials belong to AWS account 210987654321, and production is 123456789012. Use the right ones.",
    )


def test_an_unknown_digest_is_refused_with_where_it_was_looked_for() -> None:
    plan = judge_preflight(PRODUCTION, DIGEST, "123456789012", False)
    assert plan.refusals == (
        f"genai-demo/backend in us-east-1 has no image {DIGEST}. Push it, or name another digest.",
    )
