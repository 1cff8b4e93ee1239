"""The settings of production, which all figures are measured with."""

import tomllib
from pathlib import Path

from delivery.canary.evidence import Policy, policy_of
from delivery.canary.settings import Canary

PRODUCTION = Path(__file__).parents[1] / "environments" / "production.toml"


def production_policy() -> Policy:
    return policy_of(Canary.model_validate(tomllib.loads(PRODUCTION.read_text())["canary"]))
