"""The settings in which the demo differs from production, and why."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.settings import SandboxSettings

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
WIDTH = 70
# By the setting's name. A test finds a setting without a reason.
REASONS = {
    "stacks.poll": "stacks take seconds, not minutes",
    "topics.lag": "a read of the sandbox's topic API shows a change within seconds",
    "application.certificate_arn": "any ARN works: the sandbox's load balancer has its own certificate",
    "canary.pause": "shortest duration of a step; the demo must not take an hour",
    "canary.ceiling": "a step may extend its pause up to this many times; counts are late on a busy machine",
    "canary.period": "the sandbox's load balancer publishes counts every 5 s",
    "canary.lateness": "the sandbox publishes counts within this time",
    "canary.minimum_detectable_effect.canary": "failure rate that a step must detect; a lower one needs more requests",
    "canary.ready_deadline": "the sandbox's pods start within seconds",
    "canary.weight_deadline": "the sandbox's weights take effect within seconds",
    "canary.mismatch_deadline": "a wrong weight is detected within seconds",
    "canary.abort_deadline": "the sandbox's rollbacks take seconds",
    "canary.poll": "pods, alarms and weights change within seconds",
    "aws.account_id": "no default: a release to another account is refused",
    "application.database_ca": "the CA of the sandbox's database; RDS has its own CAs",
    "state.url": "locks and journals are in a folder instead of a bucket",
    "tls.ca_bundle": "a private CA signs the sandbox's certificates",
    "resolve": "the site's host names resolve to the sandbox's load balancer without DNS",
}


def describe_differences(state: Path, settings: SandboxSettings) -> str:
    """Each setting that differs from production: both values, and the reason.

    state: folder of the sandbox, which contains its addresses.
    """
    production = read(ENVIRONMENTS / "production.toml")
    overlays = [read(ENVIRONMENTS / "sandbox.toml"), read(state / "environment.toml")]
    rows = [
        (key, shown(production, key), value, REASONS.get(key, ""))
        for overlay in overlays
        for key, value in leaves(overlay)
    ]
    return "\n".join(describe_row(*row) for row in [*rows, *rows_of(settings)])


def rows_of(settings: SandboxSettings) -> list[tuple[str, str, str, str]]:
    """Differences that are in no setting."""
    rate = f"{settings.requests_per_second:g} requests/s"
    factor = f"divided by {settings.time_factor:g}"
    return [
        ("AWS, cluster and Prefect", "real", "the sandbox's", "by AWS_ENDPOINT_URL, KUBECONFIG, PREFECT_API_URL"),
        (
            "times in manifests and controllers",
            "as written",
            factor,
            "probes and grace periods; a pause must be longer",
        ),
        ("periods of the load balancer's metrics", "60s", f"{settings.metric_period_seconds}s", "as canary.period"),
        ("users' requests", "real", rate, "on average, so that both revisions get requests in each period"),
    ]


def describe_row(name: str, there: str, here: str, why: str) -> str:
    """`canary.pause   10m -> 15s   why`; the reason is on a line of its own if the values are long."""
    values = f"{name:<40}{there:>10} -> {here}"
    return f"{values:<{WIDTH}}{why}" if len(values) < WIDTH else f"{values}\n{'':<{WIDTH}}{why}"


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Pairs such as `canary.pause`, `15s`; one pair for all of `[resolve]`, whose keys are addresses."""
    for key, value in table.items():
        if key == "resolve":
            yield key, ", ".join(f"{name} at {where}" for name, where in list(value.items())[:1]) + more(value)
        elif isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def more(table: Mapping[str, Any]) -> str:
    return f" and {len(table) - 1} more" if len(table) > 1 else ""


def shown(table: Mapping[str, Any], key: str) -> str:
    """The value of a dotted key, or `not set`."""
    value: Any = table
    for part in key.split("."):
        value = value.get(part, {})
    return str(value) if value != {} else "not set"
