"""What this machine must have before anything else: run with the system's Python, before there is an environment.

Says nothing and exits 0 when all is there; otherwise names all that is missing, each with the command that installs it.
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


# Written for old versions of Python too, for one of them may be what has to tell that it is too old.
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
    """Debian ships Python without what makes an environment with pip in it."""
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
    """The major version `java -version` tells; None when there is no Java that runs, as with macOS' placeholder."""
    try:
        result = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', result.stderr + result.stdout)
    return int(match.group(1)) if result.returncode == 0 and match else None


def maven() -> "Missing | None":
    """Maven fetches Kafka's jars; who has a Kafka needs none."""
    if os.environ.get("KAFKA_HOME") or shutil.which("mvn"):
        return None
    return Missing(
        "Maven (or KAFKA_HOME, the folder of an Apache Kafka 3.9)",
        "sudo apt-get install -y maven",
        "brew install maven",
    )


if __name__ == "__main__":
    sys.exit(main())
