"""`python -m sandbox COMMAND`: the cloud on loopback from the command line."""

import sys

from sandbox.command_line import run_command

COMMANDS = {
    "start": ("sandbox.start", "a whole sandbox, until Ctrl-C"),
    "push": ("sandbox.images", "put an image into a running sandbox's repository"),
}

if __name__ == "__main__":
    raise SystemExit(run_command("python -m sandbox", COMMANDS, sys.argv[1:]))
