import re
from datetime import timedelta
from pathlib import Path

import pytest

from blocks.renamed import RENAMED
from blocks.settings import load_canary_settings, load_environment
from delivery.environment import Environment
from delivery.errors import SettingsError

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
    *problems, advice = re.split(r"\n| (?=Nothing was begun)", str(caught.value))
    assert advice == "Nothing was begun with these settings. Mend them and start again."
    return problems


def test_the_committed_production_is_complete_but_for_what_is_the_operators() -> None:
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


def test_a_canarys_settings_need_nothing_that_only_a_real_account_has(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_environment("production")
    for name in REQUIRED:
        monkeypatch.delenv(name)
    settings = load_canary_settings("production")
    assert (settings.canary, settings.application.manifests) == (whole.canary, whole.application.manifests)


def test_a_canarys_settings_are_held_to_their_limits_by_variable_and_overlay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay(tmp_path, monkeypatch, "[canary]\nalpha = 2")
    monkeypatch.setenv("SLIPWAY_CANARY__PAUSES", "1m")
    with pytest.raises(SettingsError) as caught:
        load_canary_settings("production")
    assert "canary.alpha: 2: input should be less than 1" in str(caught.value)
    assert "SLIPWAY_CANARY__PAUSES is no setting." in str(caught.value)


def test_a_variable_goes_before_overlays_and_these_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay(tmp_path, monkeypatch, '[canary]\npause = "4m"\npoll = "2s"\n[lock]\nwait = "5m"', '[canary]\npause = "3m"')
    monkeypatch.setenv("SLIPWAY_LOCK__WAIT", "7m")
    environment = load_environment("production")
    assert environment.canary.pause == timedelta(minutes=3)
    assert environment.canary.poll == timedelta(seconds=2)
    assert environment.canary.period == timedelta(minutes=1)
    assert environment.lock.wait == timedelta(minutes=7)


def test_a_pause_too_short_to_count_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__PAUSE", "30s")
    (problem,) = problems_of()
    assert problem == "canary: pause is 0:00:30, shorter than one period of 0:01:00: nothing would be counted."


def test_a_period_of_no_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__PERIOD", "0s")
    (problem,) = problems_of()
    assert "SLIPWAY_CANARY__PERIOD" in problem
    assert problem.endswith("'0s': input should be greater than 0 s.")


def test_a_value_at_fault_is_shown_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__MIN_SUCCESS_RATE", "abc")
    assert problems_of() == [
        "SLIPWAY_CANARY__MIN_SUCCESS_RATE: 'abc': input should be a valid number, unable to parse string as a number."
    ]


def test_a_value_at_fault_is_shown_with_the_overlay_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = overlay(tmp_path, monkeypatch, "[canary]\nmin_success_rate = 0.9", "[canary]\nmin_success_rate = 2")
    assert problems_of() == [f"{second}: canary.min_success_rate: 2: input should be less than or equal to 1."]


def test_a_key_that_is_no_setting_is_named_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = overlay(tmp_path, monkeypatch, "[canary]\npauze = '1m'\n[spare]\na = 1")
    assert sorted(problems_of()) == [f"{path}: canary.pauze is no setting.", f"{path}: spare is no setting."]


@pytest.mark.parametrize("name", ["SLIPWAY_CANNARY__PAUSE", "SLIPWAY_CANARY__PAUZE"])
def test_a_variable_that_is_no_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1m")
    assert problems_of() == [f"{name} is no setting."]


def test_a_secret_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay(tmp_path, monkeypatch, "[notices]\nwebhook_url = 4711")
    (problem,) = problems_of()
    assert "notices.webhook_url: input should be a valid string" in problem
    assert "4711" not in problem
    monkeypatch.setenv("SLIPWAY_NOTICES__WEBHOOK_URL", "https://hooks/top-secret")
    assert "top-secret" not in repr(load_environment("production"))


def test_a_file_that_is_not_there_is_named_with_what_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_OVERLAYS", "/nowhere/a.toml")
    assert problems_of() == ["/nowhere/a.toml does not exist; SLIPWAY_OVERLAYS names it."]


def test_an_environment_without_a_file_is_refused_and_those_with_one_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_ENVIRONMENTS", str(tmp_path))
    (tmp_path / "production.toml").write_text('name = "production"')
    (tmp_path / "overlay.toml").write_text("[lock]")
    own = tmp_path / "staging.toml"
    with pytest.raises(SettingsError) as caught:
        load_environment("staging")
    missing = f"There is no environment 'staging': {own} does not exist. There are: production. Nothing was begun."
    assert str(caught.value) == missing


def test_a_name_that_leaves_the_folder_is_refused() -> None:
    assert "is no name of an environment" in problems_of("../secrets")[0]


def test_a_file_that_is_not_toml_is_named_with_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = overlay(tmp_path, monkeypatch, "[canary\n")
    assert problems_of()[0].startswith(f"{path}: ")
    assert "line 1" in problems_of()[0]


def test_a_file_that_names_another_environment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay(tmp_path, monkeypatch, 'name = "test"')
    assert problems_of() == ["production: its file names the environment 'test'."]


def test_a_table_that_is_no_table_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = overlay(tmp_path, monkeypatch, 'canary = "slow"')
    assert problems_of()[0].startswith(f"{path}: canary: ")


def test_a_list_or_table_as_variable_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
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
