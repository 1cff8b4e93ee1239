"""Production's numbers, which every figure here is about."""

import tomllib
from pathlib import Path

from delivery.canary_settings import Canary
from delivery.evidence import Policy, policy_of

PRODUCTION = Path(__file__).parents[1] / "environments" / "production.toml"


def production_policy() -> Policy:
    return policy_of(Canary.model_validate(tomllib.loads(PRODUCTION.read_text())["canary"]))
