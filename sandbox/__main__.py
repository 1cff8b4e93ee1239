"""`python -m sandbox COMMAND`: the cloud on loopback from the command line."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "start": ("sandbox.start", "a whole sandbox, until Ctrl-C"),
    "push": ("sandbox.images", "put an image into a running sandbox's repository"),
}


def main(arguments: Sequence[str]) -> int:
    """Hand the arguments to the command's own module, which alone is imported. Exit code 2 for an unknown command."""
    if not arguments or arguments[0] not in COMMANDS:
        print(usage(), file=sys.stderr)
        return 2
    module, _ = COMMANDS[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


def usage() -> str:
    commands = "\n".join(f"  {name:<8}{purpose}" for name, (_, purpose) in COMMANDS.items())
    return f"usage: python -m sandbox COMMAND [--help]\n\n{commands}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
