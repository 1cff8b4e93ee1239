"""Runs three Kafka brokers: `python -m sandbox.kafka.brokers --state DIR`."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from sandbox.addresses import Addresses
from sandbox.kafka.iam_proxy import IamProxy
from sandbox.kafka.jars import class_path
from sandbox.kafka.properties import CLUSTER_ID, Listeners, controllers, proxied_addresses, render_properties
from sandbox.processes import announce_ready, die_with_parent, end_on_sigterm, kill, state_argument
from sandbox.settings import SECRET_ACCESS_KEY, SandboxSettings

JVM = (
    "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
    "-Djava.net.preferIPv4Stack=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)  # fmt: skip
SECONDS_TO_START = 120


def main() -> None:
    die_with_parent()
    end_on_sigterm()
    state = state_argument(__doc__)
    addresses = Addresses.read(state)
    configurations = write_properties(state / "kafka", addresses)
    format_storage(configurations)
    brokers = [start(configuration) for configuration in configurations]
    try:
        wait_until_serving(brokers, addresses.kafka)
        proxy = IamProxy(state, SandboxSettings.read(state).region, SECRET_ACCESS_KEY)
        proxy.open(addresses.kafka_iam, proxied_addresses(addresses.pod_network))
        announce_ready()
        watch(brokers)
    finally:
        # Killed, because on SIGTERM the last broker would wait for a quorum. The data is deleted anyway.
        kill(brokers)


def write_properties(folder: Path, addresses: Addresses) -> list[Path]:
    """Write a server.properties for each broker, each in its own folder."""
    quorum, proxied = controllers(addresses.pod_network), proxied_addresses(addresses.pod_network)
    paths = [folder / str(node) / "server.properties" for node in (1, 2, 3)]
    all_listeners = map(Listeners, addresses.kafka, proxied, addresses.kafka_iam)
    for node, (path, listeners) in enumerate(zip(paths, all_listeners, strict=True), 1):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_properties(node, listeners, quorum, path.parent))
    return paths


def format_storage(configurations: Sequence[Path]) -> None:
    """Format the storage of each broker. They run in parallel, because each of them starts a JVM."""
    tools = [
        subprocess.Popen(
            java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-g", "-c", str(configuration)),
            stdout=subprocess.DEVNULL,
        )
        for configuration in configurations
    ]
    if sum(tool.wait() for tool in tools):
        raise SystemExit("The storage of Kafka could not be formatted. No broker was started. The reason is above.")


def start(configuration: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(java("kafka.Kafka", str(configuration)), preexec_fn=die_with_parent)


def java(*arguments: str) -> list[str]:
    program = shutil.which("java")
    if program is None:
        raise SystemExit("java is not on the PATH. No broker was started. Install Java 17 or newer.")
    return [program, *JVM, "-cp", class_path(), *arguments]


def wait_until_serving(brokers: Sequence[subprocess.Popen[bytes]], addresses: Sequence[str]) -> None:
    """Wait until each broker lists all brokers, because they get the list from the controller at different times."""
    deadline = time.monotonic() + SECONDS_TO_START
    for address in addresses:
        while brokers_known_to(address) < len(brokers):
            refuse_dead(brokers)
            if time.monotonic() > deadline:
                raise SystemExit(f"Kafka was not ready within {SECONDS_TO_START} s. Its brokers were stopped.")


def brokers_known_to(address: str) -> int:
    # A new client for each call, because a client that knows several brokers may call any of them.
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        return len(client.list_topics(timeout=1).brokers)
    except KafkaException:
        return 0


def watch(brokers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until a broker ends, which raises SystemExit."""
    while True:
        refuse_dead(brokers)
        time.sleep(0.2)


def refuse_dead(brokers: Sequence[subprocess.Popen[bytes]]) -> None:
    for node, broker in enumerate(brokers, 1):
        if broker.poll() is not None:
            raise SystemExit(f"Broker {node} ended with exit code {broker.returncode}. The other brokers were stopped.")


if __name__ == "__main__":
    main()
