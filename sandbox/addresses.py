"""Where each part of the sandbox listens: allotted before any part starts, so that every part knows all others."""

import json
import random
import socket
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Addresses:
    """Addresses of one sandbox, kept in `addresses.json` of its state folder.

    Without a scheme they are HOST:PORT; `pod_network` is the first half of every pod's address, such as `127.42`.
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
        # JSON knows no tuples.
        return cls(**fields | {name: tuple(fields[name]) for name in ("kafka", "kafka_iam")})

    def write(self, state: Path) -> None:
        (state / "addresses.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


CLAIM_PORT = 14999
# Below the range the kernel takes clients' ports from, so that no client gets one before its part listens.
PORTS = range(15000, 32000)


def free_addresses(count: int) -> list[str]:
    """HOST:PORT of that many ports nobody listens on; all are held open together so that no two are the same."""
    with ExitStack() as held:
        sockets = [held.enter_context(_free_socket()) for _ in range(count)]
        return [f"127.0.0.1:{server.getsockname()[1]}" for server in sockets]


def _free_socket() -> socket.socket:
    while True:
        # A port that is taken is no error: the next one is drawn. Where none is free the caller's time limit ends it.
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", random.choice(PORTS)))


def allot_addresses(pod_network: str) -> Addresses:
    """Addresses for every part of one sandbox, its pods being in that network."""
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
    """A pod network no other sandbox of this machine uses, and the socket that keeps it for as long as it is open."""
    for number in random.sample(range(2, 255), 253):
        with suppress(OSError):
            return f"127.{number}", socket.create_server((f"127.{number}.255.254", CLAIM_PORT))
    raise OSError("all networks from 127.2 to 127.254 are taken by sandboxes; stop one")
