"""The addresses of all parts, chosen before the first part starts, so that each part knows all of them."""

import json
import random
import socket
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Addresses:
    """The addresses of one sandbox, stored in `addresses.json` in its state folder.

    An address without a scheme is HOST:PORT. `pod_network` is the first half of every pod address, such as `127.42`.
    """

    aws: str
    kubernetes: str
    kafka: tuple[str, str, str]
    kafka_iam: tuple[str, str, str]
    postgres: str
    postgres_tls: str
    valkey: str
    valkey_tls: str
    load_balancer: str
    load_balancer_http: str
    prefect: str
    pod_network: str

    @classmethod
    def read(cls, state: Path) -> Self:
        fields = json.loads((state / "addresses.json").read_text())
        # JSON has no tuples.
        return cls(**fields | {name: tuple(fields[name]) for name in ("kafka", "kafka_iam")})

    def write(self, state: Path) -> None:
        (state / "addresses.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


CLAIM_PORT = 14999
# Below the ephemeral ports of the kernel, so that no client gets such a port before the part listens.
PORTS = range(15000, 32000)


def free_addresses(count: int) -> list[str]:
    """HOST:PORT of `count` free ports. All are open at the same time, so that no two are the same."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(_free_socket()) for _ in range(count)]
        return [f"127.0.0.1:{server.getsockname()[1]}" for server in sockets]


def _free_socket() -> socket.socket:
    while True:
        # A port in use is not an error: the loop tries another one. If none is free, the caller's time limit ends it.
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", random.choice(PORTS)))


def choose_addresses(pod_network: str) -> Addresses:
    """Choose an address for every part of a sandbox whose pods are in `pod_network`."""
    aws, kubernetes, prefect, *others = free_addresses(15)
    postgres, postgres_tls, valkey, valkey_tls, load_balancer, load_balancer_http, *brokers = others
    return Addresses(
        aws=f"http://{aws}",
        kubernetes=f"https://{kubernetes}",
        kafka=(brokers[0], brokers[1], brokers[2]),
        kafka_iam=(brokers[3], brokers[4], brokers[5]),
        postgres=postgres,
        postgres_tls=postgres_tls,
        valkey=valkey,
        valkey_tls=valkey_tls,
        load_balancer=load_balancer,
        load_balancer_http=load_balancer_http,
        prefect=f"http://{prefect}/api",
        pod_network=pod_network,
    )


def claim_pod_network() -> tuple[str, socket.socket]:
    """A pod network that no other sandbox on this machine uses, and a socket that reserves it while it is open."""
    for number in random.sample(range(2, 255), 253):
        with suppress(OSError):
            return f"127.{number}", socket.create_server((f"127.{number}.255.254", CLAIM_PORT))
    raise OSError("Sandboxes use all networks from 127.2 to 127.254. Stop a sandbox and try again.")
