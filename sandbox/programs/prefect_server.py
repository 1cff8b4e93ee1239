"""Runs the Prefect server: `python -m sandbox.programs.prefect_server --state DIR`."""

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
        # Without this, the UI would call port 4200, wherever the server listens.
        "PREFECT_SERVER_UI_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        # In files, leases survive a restart of the server. In memory, they would be lost and their slots stay occupied.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }


def command(api: str) -> list[str]:
    address = urlsplit(api)
    where = ["--host", str(address.hostname), "--port", str(address.port)]
    return [sys.executable, "-m", "prefect", "server", "start", *where]


if __name__ == "__main__":
    main()
