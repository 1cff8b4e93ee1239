import re
from datetime import timedelta
from pathlib import Path

import pytest

from blocks.renamed import RENAMED
from blocks.settings import load_canary_settings, load_environment
from delivery.environment import Environment
from delivery.errors import SettingsError

NOTHING_STARTED = "Nothing was started. Fix these settings and try again."
REQUIRED = {
    "SLIPWAY_AWS__ACCOUNT_ID": "123456789012",
    "SLIPWAY_STATE__URL": "file:///tmp/state",
    "SLIPWAY_APPLICATION__CERTIFICATE_ARN": "arn:aws:acm:us-east-1:123456789012:certificate/none",
    "SLIPWAY_APPLICATION__DATABASE_CA": "tests/database-ca.pem",
}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_OVERLAYS", raising=False)
    monkeypatch.delenv("SLIPWAY_ENVIRONMENTS", raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *contents: str) -> list[Path]:
    paths = [tmp_path / f"{number}.toml" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    monkeypatch.setenv("SLIPWAY_OVERLAYS", ":".join(map(str, paths)))
    return paths


def problems_of(name: str = "production") -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_environment(name)
    *problems, advice = re.split(r"\n| (?=Nothing was started)", str(caught.value))
    assert advice == NOTHING_STARTED
    return problems


def test_the_committed_production_lacks_only_the_settings_of_the_operator() -> None:
    environment = load_environment("production")
    assert type(environment) is Environment
    assert len(environment.topics_wanted()) == 6


def test_all_missing_settings_are_named_at_once_with_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name)
    problems = problems_of()
    assert len(problems) == len(REQUIRED)
    for name in REQUIRED:
        assert any(problem.endswith(f"in an overlay, or as {name}.") for problem in problems)


def test_the_settings_of_a_canary_need_nothing_that_only_a_real_account_has(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = load_environment("production")
    for name in REQUIRED:
        monkeypatch.delenv(name)
    settings = load_canary_settings("production")
    assert (settings.canary, settings.application.manifests) == (complete.canary, complete.application.manifests)


def test_the_settings_of_a_canary_are_validated_in_variables_and_overlays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay(tmp_path, monkeypatch, "[canary]\nalpha = 2")
    monkeypatch.setenv("SLIPWAY_CANARY__PAUSES", "1m")
    with pytest.raises(SettingsError) as caught:
        load_canary_settings("production")
    assert "canary.alpha: 2: input should be less than 1" in str(caught.value)
    assert "SLIPWAY_CANARY__PAUSES is not a setting." in str(caught.value)


def test_variables_override_overlays_and_overlays_override_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay(tmp_path, monkeypatch, '[canary]\npause = "4m"\npoll = "2s"\n[lock]\nwait = "5m"', '[canary]\npause = "3m"')
    monkeypatch.setenv("SLIPWAY_LOCK__WAIT", "7m")
    environment = load_environment("production")
    assert environment.canary.pause == timedelta(minutes=3)
    assert environment.canary.poll == timedelta(seconds=2)
    assert environment.canary.period == timedelta(minutes=1)
    assert environment.lock.wait == timedelta(minutes=7)


def test_a_pause_shorter_than_a_period_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__PAUSE", "30s")
    (problem,) = problems_of()
    assert problem == "canary: pause (30s) is shorter than period (1m), so no request would be counted."


def test_a_period_of_zero_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__PERIOD", "0s")
    (problem,) = problems_of()
    assert "SLIPWAY_CANARY__PERIOD" in problem
    assert problem.endswith("'0s': input should be greater than 0 s.")


def test_a_wrong_value_is_shown_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__MIN_SUCCESS_RATE", "abc")
    assert problems_of() == [
        "SLIPWAY_CANARY__MIN_SUCCESS_RATE: 'abc': input should be a valid number, unable to parse string as a number."
    ]


def test_a_wrong_value_is_shown_with_its_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = overlay(tmp_path, monkeypatch, "[canary]\nmin_success_rate = 0.9", "[canary]\nmin_success_rate = 2")
    assert problems_of() == [f"{second}: canary.min_success_rate: 2: input should be less than or equal to 1."]


def test_an_unknown_key_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = overlay(tmp_path, monkeypatch, "[canary]\npauze = '1m'\n[spare]\na = 1")
    assert sorted(problems_of()) == [f"{path}: canary.pauze is not a setting.", f"{path}: spare is not a setting."]


@pytest.mark.parametrize("name", ["SLIPWAY_CANNARY__PAUSE", "SLIPWAY_CANARY__PAUZE"])
def test_an_unknown_variable_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1m")
    assert problems_of() == [f"{name} is not a setting."]


def test_a_secret_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay(tmp_path, monkeypatch, "[notices]\nwebhook_url = 4711")
    (problem,) = problems_of()
    assert "notices.webhook_url: input should be a valid string" in problem
    assert "4711" not in problem
    monkeypatch.setenv("SLIPWAY_NOTICES__WEBHOOK_URL", "https://hooks/top-secret")
    assert "top-secret" not in repr(load_environment("production"))


def test_a_missing_overlay_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_OVERLAYS", "/nowhere/a.toml")
    assert problems_of() == ["/nowhere/a.toml does not exist. SLIPWAY_OVERLAYS names it."]


def test_an_environment_without_a_file_is_refused_and_the_existing_ones_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_ENVIRONMENTS", str(tmp_path))
    (tmp_path / "production.toml").write_text('name = "production"')
    (tmp_path / "overlay.toml").write_text("[lock]")
    own = tmp_path / "staging.toml"
    with pytest.raises(SettingsError) as caught:
        load_environment("staging")
    assert str(caught.value) == (
        f"There is no environment 'staging': {own} does not exist. Existing environments: production. "
        "Nothing was started."
    )


def test_a_name_that_leaves_the_folder_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        load_environment("../secrets")
    assert str(caught.value) == (
        "'../secrets' is not a name of an environment. Use only lowercase letters, digits and dashes, and begin with a "
        "letter. Nothing was started."
    )


def test_an_invalid_toml_file_is_named_with_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = overlay(tmp_path, monkeypatch, "[canary\n")
    assert problems_of()[0].startswith(f"{path}: ")
    assert "line 1" in problems_of()[0]


def test_a_name_other_than_that_of_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay(tmp_path, monkeypatch, 'name = "test"')
    assert problems_of() == ["name is 'test'. It must be 'production', like the name of the file production.toml."]


def test_a_text_in_place_of_a_table_is_refused_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = overlay(tmp_path, monkeypatch, 'canary = "slow"')
    assert problems_of()[0].startswith(f"{path}: canary: ")


def test_a_table_in_a_variable_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_RESOLVE", '{"api.genai-demo.com:443": "127.0.0.1:9"}')
    assert load_environment("production").resolve == {"api.genai-demo.com:443": "127.0.0.1:9"}
    monkeypatch.setenv("SLIPWAY_RESOLVE", "{")
    assert "resolve" in problems_of()[0]


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_key_of_an_earlier_version_is_refused_with_its_present_name(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, _, key = old.partition(".")
    (path,) = overlay(tmp_path, monkeypatch, f'[{section}]\n{key or "wait"} = "1m"')
    assert f"{path}: {old} is now named {new}." in problems_of()


def test_a_variable_of_an_earlier_version_is_refused_with_its_present_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_HOLD__WAIT", "5m")
    assert problems_of() == ["SLIPWAY_HOLD__WAIT is now named lock.wait."]
