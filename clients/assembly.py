"""The files of the cloud assembly."""

import json
from pathlib import Path

from delivery.errors import SettingsError
from delivery.stacks.assembly import StackSpec, parse_assembly

CHECKOUT = Path(__file__).resolve().parents[1]


def read_assembly(directory: str) -> tuple[StackSpec, ...]:
    """The stacks of the assembly, each after those that it depends on.

    directory: contains manifest.json; relative to the checkout. Raises SettingsError if it is not an assembly.
    """
    folder = CHECKOUT / directory
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        return parse_assembly(manifest, lambda file: (folder / file).read_text())
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"[stacks] assembly: {folder} contains no cloud assembly ({error}). Write it with: make assembly"
        ) from error
