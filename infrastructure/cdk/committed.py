"""The assembly as it is committed: nothing that differs from run to run, nothing that only explains."""

import difflib
from pathlib import Path
from typing import Any


class AccountNeeded(ValueError):
    """The app looks values up in an account; nothing was committed."""

    def __init__(self, missing: object) -> None:
        super().__init__(f"The app asks for values of an account: {missing}. An assembly must serve any account.")


def strip_manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with its stacks alone; raises AccountNeeded."""
    if "missing" in manifest:
        raise AccountNeeded(manifest["missing"])
    stacks = {
        name: {key: value for key, value in artifact.items() if key != "additionalMetadataFile"}
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    return manifest | {"artifacts": stacks}


def list_templates(manifest: dict[str, Any]) -> list[str]:
    """The names of the stacks' templates, in the stacks' order."""
    return [artifact["properties"]["templateFile"] for artifact in manifest["artifacts"].values()]


def write(files: dict[str, str], folder: Path) -> None:
    """Make the folder contain these files and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.iterdir():
        stale.unlink()
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")


def compare(files: dict[str, str], folder: Path) -> str:
    """The difference between the committed files and these; empty when there is none."""
    committed = {path.name: path.read_text("utf-8") for path in folder.glob("*")}
    lines = (
        line
        for name in sorted(committed | files)
        for line in difflib.unified_diff(
            committed.get(name, "").splitlines(),
            files.get(name, "").splitlines(),
            f"committed/{name}",
            f"synthesised/{name}",
            lineterm="",
        )
    )
    return "\n".join(lines)
