"""`python -m sandbox.kafka.download`: Kafka's jars, fetched by Maven once per machine and compared with a list."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sandbox.kafka.jars import POM, checksums, differences, jar_folder, kafka_version, wanted_checksums


def main() -> None:
    """Fetch what is missing. Silent when the jars are there, or are those of KAFKA_HOME."""
    if not os.environ.get("KAFKA_HOME") and not is_complete(jar_folder()):
        print(f"fetching Apache Kafka {kafka_version()} with Maven, once")
        download(jar_folder())


def is_complete(folder: Path) -> bool:
    """Whether all listed jars are there; they were compared before the folder got its name."""
    return wanted_checksums().keys() <= {jar.name for jar in folder.glob("*.jar")}


def download(folder: Path) -> None:
    """Put the jars in the folder, all or none. SystemExit with what to do when Maven fails or a jar is another one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        fetched = Path(temporary) / "jars"
        copy_dependencies(fetched)
        refuse_other_jars(fetched)
        shutil.rmtree(folder, ignore_errors=True)
        fetched.rename(folder)


def copy_dependencies(folder: Path) -> None:
    command = ("mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={folder}")
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(
            f"Maven could not fetch Kafka's jars, nothing was kept:\n{result.stdout[-2000:]}{result.stderr[-2000:]}\n"
            "Check Maven's settings (mirror, proxy), or set KAFKA_HOME to an unpacked Kafka distribution."
        )


def refuse_other_jars(folder: Path) -> None:
    if found := differences(wanted_checksums(), checksums(folder)):
        listed = "\n".join(f"  {line}" for line in found)
        raise SystemExit(
            f"Maven fetched other jars than jars.sha256 lists, nothing was kept:\n{listed}\n"
            "Find out which repository they came from before trusting them."
        )


if __name__ == "__main__":
    main()
