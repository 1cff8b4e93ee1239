import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.kafka.jars import checksums, class_path, differences, jar_folder, kafka_version, wanted_checksums


def test_jars_that_match_the_list_have_no_differences() -> None:
    assert differences({"a.jar": "1"}, {"a.jar": "1"}) == []


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ({}, "missing: a.jar"),
        ({"a.jar": "2"}, "changed: a.jar"),
        ({"a.jar": "1", "b.jar": "1"}, "not listed: b.jar"),
    ],
)
def test_every_other_jar_is_a_difference(found: dict[str, str], difference: str) -> None:
    assert differences({"a.jar": "1"}, found) == [difference]


def test_the_committed_list_contains_kafka_in_the_version_of_the_pom() -> None:
    assert f"kafka_2.13-{kafka_version()}.jar" in wanted_checksums()


def test_checksums_are_computed_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "empty.jar").touch()
    assert checksums(tmp_path) == {"empty.jar": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}


def test_without_jars_the_download_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match="make brokers"):
        class_path()


def test_the_jars_in_kafka_home_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert jar_folder() == tmp_path / "libs"


def test_the_download_prints_nothing_if_the_jars_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    folder = tmp_path / f"kafka-{kafka_version()}"
    folder.mkdir()
    for name in wanted_checksums():
        (folder / name).touch()
    result = subprocess.run(
        [sys.executable, "-m", "sandbox.kafka.download"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
