"""Check that this machine has the prerequisites. Runs with the Python of the system, before a venv exists.

Prints nothing and exits with 0 if nothing is missing. Otherwise, it lists what is missing and how to install it.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

MINIMUM_PYTHON = (3, 11)
MINIMUM_JAVA = 17


# This file must also run on an old Python, because it reports that the Python is too old.
class Missing(NamedTuple):
    what: str
    debian: str
    macos: str


def main() -> int:
    missing = [found for found in (python(), venv(), make(), java(), maven()) if found is not None]
    for item in missing:
        command = item.macos if sys.platform == "darwin" else item.debian
        print(f"missing: {item.what}\n    {command}", file=sys.stderr)
    return 1 if missing else 0


def python() -> "Missing | None":
    if sys.version_info >= MINIMUM_PYTHON:
        return None
    found = ".".join(str(number) for number in sys.version_info[:2])
    return Missing(
        f"Python 3.11 or newer (this one is {found}; name another with `make PYTHON=...`)",
        "sudo apt-get install -y python3.11 python3.11-venv",
        "brew install python@3.12",
    )


def venv() -> "Missing | None":
    """Debian packages venv and ensurepip apart from Python."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return None
    return Missing("Python's venv", "sudo apt-get install -y python3-venv", "brew install python@3.12")


def make() -> "Missing | None":
    return None if shutil.which("make") else Missing("make", "sudo apt-get install -y make", "brew install make")


def java() -> "Missing | None":
    version = java_version()
    if version is not None and version >= MINIMUM_JAVA:
        return None
    found = "" if version is None else f" (the one on the PATH is {version})"
    return Missing(
        f"Java {MINIMUM_JAVA} or newer{found}",
        "sudo apt-get install -y openjdk-17-jre-headless",
        "brew install openjdk@17",
    )


def java_version() -> "int | None":
    """The major version that `java -version` prints. None if no Java runs, as with the placeholder of macOS."""
    try:
        result = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', result.stderr + result.stdout)
    return int(match.group(1)) if result.returncode == 0 and match else None


def maven() -> "Missing | None":
    """Maven downloads the jars of Kafka. With KAFKA_HOME, it is not needed."""
    if os.environ.get("KAFKA_HOME") or shutil.which("mvn"):
        return None
    return Missing(
        "Maven (or KAFKA_HOME, the folder of an Apache Kafka 3.9)",
        "sudo apt-get install -y maven",
        "brew install maven",
    )


if __name__ == "__main__":
    sys.exit(main())
