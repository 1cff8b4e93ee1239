"""`python -m demo COMMAND`."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "releases": ("demo.releases", "four releases to production on a sandbox of their own"),
    "sandbox": ("demo.hints", "a whole sandbox, until Ctrl-C, with the commands to release to it"),
}


def main(arguments: Sequence[str]) -> int:
    """Exit code 2 for an unknown command."""
    if not arguments or arguments[0] not in COMMANDS:
        print(usage(), file=sys.stderr)
        return 2
    module, _ = COMMANDS[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


def usage() -> str:
    commands = "\n".join(f"  {name:<10}{purpose}" for name, (_, purpose) in COMMANDS.items())
    return f"usage: python -m demo COMMAND [--help]\n\n{commands}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
