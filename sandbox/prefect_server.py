"""Prefect's server as one part of the sandbox: `python -m sandbox.prefect_server --state DIR`."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.addresses import Addresses
from sandbox.processes import become, die_with_parent, state_argument


def main() -> None:
    die_with_parent()
    state = state_argument(__doc__)
    api = Addresses.read(state).prefect
    os.environ |= variables(state, api)
    become(command(api))


def variables(state: Path, api: str) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(state / "prefect"),
        # Its pages would ask port 4200 otherwise, wherever the server listens.
        "PREFECT_SERVER_UI_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # Kept in files, leases survive a restart of the server; in memory their slots would stay taken for good.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }


def command(api: str) -> list[str]:
    address = urlsplit(api)
    where = ["--host", str(address.hostname), "--port", str(address.port)]
    return [sys.executable, "-m", "prefect", "server", "start", *where]


if __name__ == "__main__":
    main()
