"""The settings of production for tests, with another object store."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.canary.evidence import Policy, policy_of
from delivery.environment import Environment

CHECKOUT = Path(__file__).parent.parent


def production(store: Path, *, lease: timedelta = timedelta(seconds=60), wait: timedelta = timedelta()) -> Environment:
    """environments/production.toml with the settings that it does not set. store: the folder of the object store."""
    content = tomllib.loads((CHECKOUT / "environments" / "production.toml").read_text())
    content["aws"]["account_id"] = "123456789012"
    content["state"] = {"url": store.as_uri()}
    content["application"]["certificate_arn"] = "arn:aws:acm:us-east-1:123456789012:certificate/none"
    content["application"]["database_ca"] = "tests/database-ca.pem"
    content["lock"] = {"lease": lease, "wait": wait}
    return Environment.model_validate(content)


def production_policy() -> Policy:
    """The policy of the judge in production."""
    return policy_of(production(CHECKOUT).canary)


def installed(store: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """The environment that `load_environment("production")` returns until the end of the test."""
    environment = production(store)
    monkeypatch.delenv("SLIPWAY_OVERLAYS", raising=False)
    monkeypatch.setenv("SLIPWAY_AWS__ACCOUNT_ID", environment.aws.account_id)
    monkeypatch.setenv("SLIPWAY_STATE__URL", environment.state.url)
    monkeypatch.setenv("SLIPWAY_APPLICATION__CERTIFICATE_ARN", environment.application.certificate_arn)
    monkeypatch.setenv("SLIPWAY_APPLICATION__DATABASE_CA", environment.application.database_ca)
    return environment
