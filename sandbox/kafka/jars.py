"""The folder of Kafka's jars on this machine, and their expected hashes."""

import hashlib
import os
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
CHECKSUMS = HERE / "jars.sha256"
CACHE_VARIABLE = "SLIPWAY_CACHE"


def kafka_version() -> str:
    # The POM is a file of this package, not external input.
    version = ElementTree.parse(POM).findtext(".//{*}kafka.version")  # noqa: S314
    if version is None:
        raise LookupError(f"{POM} has no property kafka.version.")
    return version


def jar_folder() -> Path:
    """The folder of the jars: `libs` in KAFKA_HOME if it is set, otherwise the cache outside the checkout."""
    if home := os.environ.get("KAFKA_HOME"):
        return Path(home) / "libs"
    return cache_folder() / f"kafka-{kafka_version()}"


def cache_folder() -> Path:
    if cache := os.environ.get(CACHE_VARIABLE):
        return Path(cache)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def wanted_checksums() -> dict[str, str]:
    """SHA-256 by jar name, from `jars.sha256` (the format of sha256sum)."""
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {name: checksum for checksum, name in lines}


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by jar name, of the jars in the folder."""
    return {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(folder.glob("*.jar"))}


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """One line for each jar that is missing, not listed or changed."""
    return [f"missing: {name}" for name in sorted(wanted.keys() - found.keys())] + [
        f"{'changed' if name in wanted else 'not listed'}: {name}"
        for name, checksum in sorted(found.items())
        if wanted.get(name) != checksum
    ]


def class_path() -> str:
    """The class path for `java -cp`. SystemExit, which names the download command, if the jars do not exist."""
    folder = jar_folder()
    if not any(folder.glob("kafka-clients-*.jar")):
        raise SystemExit(f"{folder} does not contain the jars of Kafka. No broker was started. Run: make brokers")
    return str(folder / "*")
