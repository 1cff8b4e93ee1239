"""`python -m demo COMMAND`."""

import sys

from sandbox.command_line import run_command

COMMANDS = {
    "releases": ("demo.releases", "four releases to production on a new sandbox"),
    "sandbox": ("demo.hints", "a sandbox with all parts, until Ctrl-C, and the commands to release to it"),
}

if __name__ == "__main__":
    raise SystemExit(run_command("python -m demo", COMMANDS, sys.argv[1:]))
