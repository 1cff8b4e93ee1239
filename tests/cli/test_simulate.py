import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from tests.environments import CHECKOUT

REQUIRED = (
    "SLIPWAY_AWS__ACCOUNT_ID",
    "SLIPWAY_STATE__URL",
    "SLIPWAY_APPLICATION__CERTIFICATE_ARN",
    "SLIPWAY_APPLICATION__DATABASE_CA",
)
FEW = ("--runs", "4", "--seed", "1")


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that sets neither an account nor an object store nor a Prefect server."""
    for name in (*REQUIRED, "SLIPWAY_OVERLAYS", "SLIPWAY_ENVIRONMENTS", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)


def simulate(printed: pytest.CaptureFixture[str], *options: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(["simulate", *FEW, *options])
    assert end.value.code == 0
    return printed.readouterr().out


def as_object(printed: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    return json.loads(simulate(printed, "--json", *options))


def test_production_is_simulated_without_the_settings_of_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    lines = simulate(capsys).splitlines()
    assert lines[0] == (
        "production: 20, 40, 60, 80 %, each for 10 min to 30 min, counted every 60 s and read 2 min later; "
        "without proof: rollback"
    )
    assert lines[2] == "4 healthy releases (failure rate 2 %) and 4 harmful ones (2 % -> 5 %)"
    figures = {line[:18].strip(): line[18:] for line in lines[4:]}
    assert figures["false aborts"] == "0.00 % [0.00, 48.99] of the healthy releases"
    assert figures["harm detected"] == "100.00 % [51.01, 100.00] of the harmful releases"
    assert figures["after minutes"].startswith("p50 ")
    assert figures["after requests"].startswith("p50 ")
    assert figures["failed requests"].endswith(" additional ones per harmful release, on average")
    assert figures["seed"].startswith("1: ")


def test_a_seed_reproduces_a_simulation_in_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    irregular = ("--shock", "0.5", "--bursts", "0.1", "--retries", "1", "--lost", "0.1", "--late", "0.1", "--bad-pod")
    assert simulate(capsys, *irregular) == simulate(capsys, *irregular)
    assert simulate(capsys, *irregular) != simulate(capsys, *irregular, "--seed", "2")


def test_without_a_seed_each_simulation_chooses_one_and_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--runs", "1", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert as_object(capsys, "--runs", "1", "--seed", str(printed["seed"])) == printed


def test_the_pauses_and_the_policy_of_the_environment_are_simulated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_CANARY__PAUSE", "2m")
    monkeypatch.setenv("SLIPWAY_CANARY__CEILING", "1")
    monkeypatch.setenv("SLIPWAY_CANARY__ON_INCONCLUSIVE", "guide")
    result = as_object(capsys, "--rate", "0.5")
    assert (result["pause_seconds"], result["longest_pause_seconds"], result["on_inconclusive"]) == (120, 120, "guide")
    assert result["weights_percent"] == [20, 40, 60, 80]


def test_overlays_and_variables_are_named_and_short_times_are_in_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = str(CHECKOUT / "environments" / "sandbox.toml")
    monkeypatch.setenv("SLIPWAY_OVERLAYS", overlay)
    monkeypatch.setenv("SLIPWAY_CANARY__CEILING", "2")
    lines = simulate(capsys).splitlines()
    assert lines[0].startswith(f"production with {overlay}, SLIPWAY_CANARY__CEILING: 20, 40, 60, 80 %")
    assert "each for 15 s to 30 s, counted every 5 s and read 3 s later" in lines[0]
    assert any(line.startswith("  after seconds   p50 ") for line in lines)
    assert as_object(capsys)["overlays"] == [overlay, "SLIPWAY_CANARY__CEILING"]


def test_the_steps_are_those_of_the_environments_manifests(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = CHECKOUT / "infrastructure" / "k8s" / "production"
    manifests = "\n---\n".join(path.read_text() for path in folder.glob("*.yaml"))
    fewer = manifests.replace("      - setWeight: 40\n      - pause: {}\n", "")
    assert len(fewer) < len(manifests)
    (tmp_path / "all.yaml").write_text(fewer.replace("replicas: 3", "replicas: 9"))
    monkeypatch.setenv("SLIPWAY_APPLICATION__MANIFESTS", str(tmp_path))
    result = as_object(capsys)
    assert result["weights_percent"] == [20, 60, 80]
    assert result["scenario"]["pods"] == 9


def test_manifests_without_a_pause_cannot_be_simulated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = CHECKOUT / "infrastructure" / "k8s" / "production"
    manifests = "\n---\n".join(path.read_text() for path in folder.glob("*.yaml"))
    (tmp_path / "all.yaml").write_text(manifests.replace("      - pause: {}\n", ""))
    monkeypatch.setenv("SLIPWAY_APPLICATION__MANIFESTS", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        main(["simulate", *FEW])
    assert end.value.code == 2
    assert "has no pause, so there is nothing to judge" in capsys.readouterr().err


def test_a_harm_at_the_baseline_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["simulate", "--harm", "0.02"])
    assert end.value.code == 2
    assert "must be above the failure rate of the stable revision" in capsys.readouterr().err


def test_an_environment_without_a_file_cannot_be_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["simulate", "--environment", "staging"])
    assert end.value.code == 2
    assert "There is no environment 'staging'" in capsys.readouterr().err
