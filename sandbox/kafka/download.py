"""`python -m sandbox.kafka.download` downloads the jars of Kafka with Maven, once per machine, and checks them."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sandbox.kafka.jars import POM, checksums, differences, jar_folder, kafka_version, wanted_checksums


def main() -> None:
    """Download missing jars. Prints nothing if they exist, or if KAFKA_HOME is set."""
    if not os.environ.get("KAFKA_HOME") and not is_complete(jar_folder()):
        print(f"Downloading Apache Kafka {kafka_version()} with Maven (once per machine)")
        download(jar_folder())


def is_complete(folder: Path) -> bool:
    """Whether all listed jars exist. Their hashes were checked before the folder got its name."""
    return wanted_checksums().keys() <= {jar.name for jar in folder.glob("*.jar")}


def download(folder: Path) -> None:
    """Download all jars to the folder, or none. SystemExit if Maven fails or the hash of a jar differs."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        downloaded = Path(temporary) / "jars"
        copy_dependencies(downloaded)
        refuse_other_jars(downloaded)
        shutil.rmtree(folder, ignore_errors=True)
        downloaded.rename(folder)


def copy_dependencies(folder: Path) -> None:
    command = ("mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(
            "Maven could not download the jars of Kafka. Nothing was stored.\n"
            f"{result.stdout[-2000:]}{result.stderr[-2000:]}\n"
            "Check the settings of Maven (mirror, proxy), or set KAFKA_HOME to an unpacked Kafka distribution."
        )


def refuse_other_jars(folder: Path) -> None:
    if found := differences(wanted_checksums(), checksums(folder)):
        listed = "\n".join(f"  {line}" for line in found)
        raise SystemExit(
            f"The downloaded jars differ from jars.sha256. Nothing was stored.\n{listed}\n"
            "Check which repository Maven uses before you trust these jars."
        )


if __name__ == "__main__":
    main()
