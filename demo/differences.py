"""What of production's settings is another one in the demo, and why."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.settings import SandboxSettings

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
WIDTH = 70
# By the setting's name. One that is not here is told without its reason, which a test finds.
REASONS = {
    "stacks.poll": "stacks take seconds, not minutes",
    "topics.lag": "its topic API has caught up within seconds",
    "application.certificate_arn": "any will do: its load balancer has a certificate of its own",
    "canary.pause": "how long a step is watched; the demo is not to take an hour",
    "canary.ceiling": "how many pauses a step may take; counts come late on a busy machine",
    "canary.period": "its load balancer counts by 5 s",
    "canary.lateness": "its counts are there that soon",
    "canary.minimum_detectable_effect.canary": "the failure rate that a step has to find; less takes more requests",
    "canary.ready_deadline": "its pods start within seconds",
    "canary.weight_deadline": "its weights are in force within seconds",
    "canary.mismatch_deadline": "a lost weight is seen within seconds",
    "canary.abort_deadline": "its traffic is back within seconds",
    "canary.poll": "what is waited for comes sooner",
    "aws.account_id": "no default: a release into another account is refused",
    "application.database_ca": "who signed its database's certificate; RDS has authorities of its own",
    "state.url": "holds and journals, in a folder in place of a bucket",
    "tls.ca_bundle": "who signed its certificates, which no public authority did",
    "resolve": "the site's names lead to its load balancer, without DNS",
}


def describe_differences(state: Path, settings: SandboxSettings) -> str:
    """Each setting of production's that is another one here: both values, and the reason below them.

    state: of the sandbox, which has written there where it listens.
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
    """What no setting of production's says."""
    rate = f"{settings.requests_per_second:g} a second"
    factor = f"divided by {settings.time_factor:g}"
    return [
        ("AWS, cluster and Prefect", "real ones", "the sandbox's", "by AWS_ENDPOINT_URL, KUBECONFIG, PREFECT_API_URL"),
        ("times in manifests and controllers", "as written", factor, "probes and grace, which a pause has to outlast"),
        ("periods of the load balancer's metrics", "60s", f"{settings.metric_period_seconds}s", "as canary.period"),
        ("users' requests", "real ones", rate, "on average, so that both revisions get some in each period"),
    ]


def describe_row(name: str, there: str, here: str, why: str) -> str:
    """`canary.pause   10m -> 15s   why`; the reason in a line of its own where the values are long."""
    values = f"{name:<40}{there:>10} -> {here}"
    return f"{values:<{WIDTH}}{why}" if len(values) < WIDTH else f"{values}\n{'':<{WIDTH}}{why}"


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """`canary.pause`, `15s` and so on; of `[resolve]`, whose keys are addresses, all in one."""
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
    """The value of a dotted key, or that there is none."""
    value: Any = table
    for part in key.split("."):
        value = value.get(part, {})
    return str(value) if value != {} else "not set"
