import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "sandbox" / "prerequisites.py"


def run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run as `make` does, with only this folder on the PATH."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path


def install(path: Path, name: str, output: str = "") -> None:
    program = path / name
    program.write_text(f"#!/bin/sh\necho '{output}' >&2\n")
    program.chmod(0o755)


def test_all_missing_prerequisites_are_listed(path: Path) -> None:
    result = run(path)
    assert result.returncode == 1
    assert [line for line in result.stderr.splitlines() if line.startswith("missing")] == [
        "missing: make",
        "missing: Java 17 or newer",
        "missing: Maven (or KAFKA_HOME, the folder of an Apache Kafka 3.9)",
    ]
    assert result.stderr.count("apt-get install" if sys.platform == "linux" else "brew install") == 3


def test_nothing_is_printed_if_nothing_is_missing(path: Path) -> None:
    install(path, "make")
    install(path, "mvn")
    install(path, "java", 'openjdk version "17.0.15" 2025-04-15')
    result = run(path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_an_old_java_is_listed_with_its_version(path: Path) -> None:
    install(path, "make")
    install(path, "mvn")
    install(path, "java", 'java version "1.8.0_402"')
    result = run(path)
    assert "Java 17 or newer (the one on the PATH is 8)" in result.stderr


def test_maven_is_not_needed_with_kafka_home(path: Path) -> None:
    assert "Maven" not in run(path, KAFKA_HOME="/opt/kafka").stderr
