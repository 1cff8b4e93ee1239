"""Secrets of a run, kept in Prefect's Secret blocks and named in the work pool."""

from collections.abc import Mapping

from prefect.blocks.system import Secret


def save_secrets(secrets: Mapping[str, str]) -> dict[str, str]:
    """Save each secret in a block. Returns what the work pool contains instead; the worker resolves it for each run."""
    for name, value in secrets.items():
        Secret(value=value).save(block_name(name), overwrite=True)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return {name: f"{{{{ prefect.blocks.secret.{block_name(name)} }}}}" for name in secrets}


def block_name(variable: str) -> str:
    """Prefect allows lowercase letters, digits and dashes."""
    return "slipway-" + variable.lower().replace("__", "-").replace("_", "-")
