"""One program with several commands, each in a module of its own."""

import importlib
import sys
from collections.abc import Mapping, Sequence

# Name of a command -> its module, which has a `main(arguments)`, and its purpose.
Commands = Mapping[str, tuple[str, str]]


def run_command(program: str, commands: Commands, arguments: Sequence[str]) -> int:
    """Hand the arguments to the command's own module, which alone is imported. Exit code 2 for an unknown command."""
    if not arguments or arguments[0] not in commands:
        print(describe_usage(program, commands), file=sys.stderr)
        return 2
    module, _ = commands[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


def describe_usage(program: str, commands: Commands) -> str:
    lines = "\n".join(f"  {name:<10}{purpose}" for name, (_, purpose) in commands.items())
    return f"usage: {program} COMMAND [--help]\n\n{lines}"
