"""What the demo's releases showed: each canary step as it was judged, and which numbers differ from production's."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.settings import SandboxSettings

SLIPWAY = Path(sys.executable).parent / "slipway"
ENVIRONMENTS = Path(__file__).parents[1] / "environments"
WEIGHTS = (20, 40, 60, 80)

Release = Mapping[str, Any]


def read_releases(variables: Mapping[str, str]) -> list[Release]:
    """All releases to production, oldest first, as `slipway status --json` tells them."""
    command = [str(SLIPWAY), "status", "production", "--json"]
    told = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=True).stdout
    return list(reversed(json.loads(told)["releases"]))


def judged_steps(release: Release) -> list[Mapping[str, Any]]:
    """What each canary step of a release was judged on: weight_percent, verdict, reason, seconds, and both arms."""
    return [record["detail"] for record in release["journal"] if record["event"] == "judged"]


def describe_steps(releases: list[Release]) -> str:
    """A line for each canary step of each release."""
    lines = [f"{'release':<9}{'weight':>7}  {'verdict':<13}{'stable':>16}{'canary':>16}{'took':>7}"]
    for release in releases:
        lines += [describe_step(release["number"], step) for step in judged_steps(release)]
    return "\n".join(lines)


def describe_step(number: int, step: Mapping[str, Any]) -> str:
    stable, canary = (describe_arm(step[arm]) for arm in ("stable", "canary"))
    weight = f"{step['weight_percent']} %"
    return f"{number:<9}{weight:>7}  {step['verdict']:<13}{stable:>16}{canary:>16}{step['seconds']:>5.0f} s"


def describe_arm(counts: Mapping[str, int]) -> str:
    return f"{counts['failures']} of {counts['requests']} failed"


def missing_evidence(releases: list[Release], digest: str) -> str | None:
    """Why the canary of that digest proves nothing; None when both arms had requests in every one of its steps."""
    release = next((found for found in releases if found["artifact_digest"] == digest), None)
    steps = {step["weight_percent"]: step for step in judged_steps(release)} if release else {}
    for weight in WEIGHTS:
        step = steps.get(weight)
        if step is None or not (step["stable"]["requests"] and step["canary"]["requests"]):
            return f"The canary of {digest} has no requests of both arms from closed periods at {weight} %."
    return None


def describe_differences(settings: SandboxSettings) -> str:
    """Every number of production's that is another one here."""
    production, overlay = (read(name) for name in ("production", "sandbox"))
    lines = ["What differs from production:"]
    lines += [f"  {key:<28}{shown(production, key):>8} -> {value}" for key, value in leaves(overlay)]
    lines += [f"  {'times of manifests':<28}{'':>8} -> divided by {settings.time_factor:g}"]
    lines += [f"  {'periods of metrics':<28}{'60s':>8} -> {settings.metric_period_seconds}s"]
    return "\n".join(lines)


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((ENVIRONMENTS / f"{name}.toml").read_text())


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`canary.pause`, `15s` and so on."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def shown(table: Mapping[str, Any], key: str) -> str:
    """The value of a dotted key, or that there is none."""
    value: Any = table
    for part in key.split("."):
        value = value.get(part, {})
    return str(value) if value != {} else "not set"
