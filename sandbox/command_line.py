"""A program with several commands, each in its own module."""

import importlib
import sys
from collections.abc import Mapping, Sequence

# The name of each command -> its module, which has `main(arguments)`, and what the command does.
Commands = Mapping[str, tuple[str, str]]


def run_command(program: str, commands: Commands, arguments: Sequence[str]) -> int:
    """Import only the module of the command and call its `main`. The exit code is 2 if the command is unknown."""
    if not arguments or arguments[0] not in commands:
        print(describe_usage(program, commands), file=sys.stderr)
        return 2
    module, _ = commands[arguments[0]]
    return importlib.import_module(module).main(arguments[1:])


def describe_usage(program: str, commands: Commands) -> str:
    lines = "\n".join(f"  {name:<10}{purpose}" for name, (_, purpose) in commands.items())
    return f"usage: {program} COMMAND [--help]\n\n{lines}"
