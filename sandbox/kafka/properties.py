"""The configuration of one broker, which is a controller as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CLUSTER_ID = "c2FuZGJveC1rYWZrYS0wMQ"

# Above the line what the guide wants of the cluster, below it what keeps three brokers small on one machine.
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
    """HOST:PORT of the three controllers: on the sandbox's own network, so that they need no port of their own."""
    return [f"{pod_network}.255.{node}:9093" for node in (1, 2, 3)]


def behind_the_gate(pod_network: str) -> list[str]:
    """HOST:PORT of the three brokers' listeners that the gate alone speaks to."""
    return [f"{pod_network}.255.{node}:9098" for node in (1, 2, 3)]


@dataclass(frozen=True)
class Listeners:
    """Where one broker listens. advertised: where clients of the gate are sent, which is the gate."""

    plaintext: str
    gate: str
    advertised: str


def render_properties(node: int, listeners: Listeners, quorum: Sequence[str], folder: Path) -> str:
    """server.properties of the broker with that node number, 1 to 3."""
    return "".join(f"{key}={value}\n" for key, value in {**COMMON, **_own(node, listeners, quorum, folder)}.items())


def _own(node: int, listeners: Listeners, quorum: Sequence[str], folder: Path) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "listeners": f"PLAINTEXT://{listeners.plaintext},GATE://{listeners.gate},CONTROLLER://{quorum[node - 1]}",
        "advertised.listeners": f"PLAINTEXT://{listeners.plaintext},GATE://{listeners.advertised}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,GATE:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{number}@{address}" for number, address in enumerate(quorum, 1)),
        "log.dirs": str(folder / "data"),
    }
