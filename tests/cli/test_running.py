import uuid
from pathlib import Path

import pytest

from cli.running import may_have_effects
from delivery.environment import Environment
from delivery.release import Event
from tasks.journal import append_to, take_number
from tests.environments import production

RUN = uuid.uuid4()


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    environment = production(tmp_path)
    monkeypatch.delenv("SLIPWAY_OVERLAYS", raising=False)
    monkeypatch.setenv("SLIPWAY_AWS__ACCOUNT_ID", environment.aws.account_id)
    monkeypatch.setenv("SLIPWAY_STATE__URL", environment.state.url)
    monkeypatch.setenv("SLIPWAY_APPLICATION__CERTIFICATE_ARN", environment.application.certificate_arn)
    return environment


def test_a_run_that_took_no_release_has_no_effects(environment: Environment) -> None:
    assert not may_have_effects(RUN, "production")
    append_to(environment, take_number(environment, {"flow_run": "another"}), "Topics/views", Event.INTENDED)
    assert not may_have_effects(RUN, "production")


def test_a_run_has_effects_once_its_release_intended_one(environment: Environment) -> None:
    number = take_number(environment, {"flow_run": str(RUN)})
    append_to(environment, number, "Hold", Event.STARTED)
    assert not may_have_effects(RUN, "production")
    append_to(environment, number, "Topics/views", Event.INTENDED)
    assert may_have_effects(RUN, "production")


def test_where_the_journal_cannot_be_read_effects_are_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_ENVIRONMENTS", "/nowhere")
    assert may_have_effects(RUN, "production")
