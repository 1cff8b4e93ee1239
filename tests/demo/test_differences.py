import tomllib
from pathlib import Path

import pytest

from demo.differences import ENVIRONMENTS, REASONS, describe_differences, leaves
from sandbox.environment import render_environment_toml
from sandbox.instance import Sandbox
from sandbox.settings import SandboxSettings


@pytest.fixture
def differences(sandbox: Sandbox) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in describe_differences(sandbox.state, SandboxSettings(time_factor=10)).splitlines()]


def test_every_number_of_the_overlay_is_shown_beside_productions_with_its_reason(differences: list[list[str]]) -> None:
    assert ["canary.pause", "10m", "->", "15s", "shortest", "duration"] in [words[:6] for words in differences]
    assert ["times", "in", "manifests", "and", "controllers", "as", "written"] in [words[:7] for words in differences]


def test_what_the_sandbox_wrote_of_itself_is_shown_too(differences: list[list[str]], sandbox: Sandbox) -> None:
    named = {words[0]: words for words in differences}
    assert named["aws.account_id"][1:5] == ["not", "set", "->", sandbox.settings.account_id]
    assert named["state.url"][4] == f"file://{sandbox.state}/store"
    assert named["tls.ca_bundle"][4] == f"{sandbox.state}/ca/ca.pem"
    assert named["resolve"][4:] == ["api.genai-demo.com:443", "at", sandbox.addresses.load_balancer, "and", "2", "more"]


def test_every_setting_that_differs_has_a_reason(sandbox: Sandbox) -> None:
    texts = [
        Path(ENVIRONMENTS, "sandbox.toml").read_text(),
        render_environment_toml(sandbox.state, sandbox.addresses, sandbox.settings),
    ]
    names = [name for text in texts for name, _ in leaves(tomllib.loads(text))]
    assert sorted(names) == sorted(REASONS)
