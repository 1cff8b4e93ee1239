"""`python -m sandbox COMMAND`: runs a sandbox from the command line."""

import sys

from sandbox.command_line import run_command

COMMANDS = {
    "start": ("sandbox.start", "starts a sandbox and runs it until Ctrl-C"),
    "push": ("sandbox.images", "pushes an image to the repository of a running sandbox"),
}

if __name__ == "__main__":
    raise SystemExit(run_command("python -m sandbox", COMMANDS, sys.argv[1:]))
