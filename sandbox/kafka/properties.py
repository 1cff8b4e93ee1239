"""The configuration of a broker, which is also a controller."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CLUSTER_ID = "c2FuZGJveC1rYWZrYS0wMQ"

# Above the line: the settings of the guide. Below it: settings that make three brokers fit on one machine.
COMMON = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    # ---
    "offsets.topic.num.partitions": "3",
    "group.initial.rebalance.delay.ms": "0",
    "num.network.threads": "1",
    "num.io.threads": "2",
    "log.cleaner.dedupe.buffer.size": "16777216",
}


def controllers(pod_network: str) -> list[str]:
    """HOST:PORT of the three controllers, in the network of the sandbox, so that their port is always free."""
    return [f"{pod_network}.255.{node}:9093" for node in (1, 2, 3)]


def proxied_addresses(pod_network: str) -> list[str]:
    """HOST:PORT of the listeners that only the IAM proxy uses."""
    return [f"{pod_network}.255.{node}:9098" for node in (1, 2, 3)]


@dataclass(frozen=True)
class Listeners:
    """The listeners of one broker. advertised: the address of the IAM proxy, for its clients."""

    plaintext: str
    proxied: str
    advertised: str


def render_properties(node: int, listeners: Listeners, quorum: Sequence[str], folder: Path) -> str:
    """The server.properties of a broker. node: 1 to 3."""
    return "".join(f"{key}={value}\n" for key, value in {**COMMON, **_own(node, listeners, quorum, folder)}.items())


def _own(node: int, listeners: Listeners, quorum: Sequence[str], folder: Path) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "listeners": f"PLAINTEXT://{listeners.plaintext},IAM://{listeners.proxied},CONTROLLER://{quorum[node - 1]}",
        "advertised.listeners": f"PLAINTEXT://{listeners.plaintext},IAM://{listeners.advertised}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,IAM:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{number}@{address}" for number, address in enumerate(quorum, 1)),
        "log.dirs": str(folder / "data"),
    }
