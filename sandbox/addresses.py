"""Where each part of the sandbox listens: allotted before any part starts, so that every part knows all others."""

import json
import socket
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
        return cls(**{**fields, "kafka": tuple(fields["kafka"])})

    def write(self, state: Path) -> None:
        (state / "addresses.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def free_addresses(count: int) -> list[str]:
    """HOST:PORT of that many ports nobody listens on; all are held open together so that no two are the same."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{server.getsockname()[1]}" for server in sockets]
    for server in sockets:
        server.close()
    return addresses
