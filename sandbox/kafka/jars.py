"""Where Kafka's jars are on this machine, and which ones they must be."""

import hashlib
import os
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
CHECKSUMS = HERE / "jars.sha256"


def kafka_version() -> str:
    # The pom is a file of this package, not input from outside.
    version = ElementTree.parse(POM).findtext(".//{*}kafka.version")  # noqa: S314
    if version is None:
        raise LookupError(f"{POM} has no property kafka.version")
    return version


def jar_folder() -> Path:
    """The folder of the jars: `libs` of KAFKA_HOME where that is set, otherwise the cache outside the checkout."""
    if home := os.environ.get("KAFKA_HOME"):
        return Path(home) / "libs"
    return cache_folder() / f"kafka-{kafka_version()}"


def cache_folder() -> Path:
    if cache := os.environ.get("SLIPWAY_CACHE"):
        return Path(cache)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def wanted_checksums() -> dict[str, str]:
    """sha256 by jar name, as committed in `jars.sha256` (the format of sha256sum)."""
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {name: checksum for checksum, name in lines}


def checksums(folder: Path) -> dict[str, str]:
    """sha256 by jar name, as the jars are in the folder."""
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(folder.glob("*.jar"))}


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """One line per jar that is missing, not listed or not the one that was listed."""
    return [f"missing: {name}" for name in sorted(wanted.keys() - found.keys())] + [
        f"{'changed' if name in wanted else 'not listed'}: {name}"
        for name, checksum in sorted(found.items())
        if wanted.get(name) != checksum
    ]


def class_path() -> str:
    """What `java -cp` wants. SystemExit where the jars are not there yet, with the command that fetches them."""
    folder = jar_folder()
    if not any(folder.glob("kafka-clients-*.jar")):
        raise SystemExit(f"{folder} holds no jars of Kafka, so no broker was started. Fetch them: make brokers")
    return str(folder / "*")
