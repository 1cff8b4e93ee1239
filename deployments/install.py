"""Install everything that our runs need on a Prefect server. A repeated installation changes only what differs."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import get_client

from clients.prefect.api import PrefectApi, translated
from clients.prefect.deploy import deploy_all
from deployments.automations import install_automations
from deployments.pool import POOL, install_pool
from deployments.retired import remove_retired
from deployments.variables import RunVariables, choose_variables


def install(checkout: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Install the work pool, the Prefect deployments and the automations. Yields a sentence about each when it is done.

    environ: environment variables of which the runs get a part.
    """
    url = PrefectApi.connect().url
    variables = choose_variables(environ)
    with translated("installing", url), get_client(sync_client=True) as client:
        yield install_pool(client, variables)
        yield from describe_variables(variables)
        deployments = read_deployments(checkout)
        names = [name_deployment(entry) for entry in deployments]
        deploy_all(checkout)
        yield f"Prefect deployments of {checkout / 'prefect.yaml'}: {', '.join(names)}."
        yield from describe_schedules(deployments)
        yield from install_automations(client, names)
        yield from remove_retired(client, names)
    yield f"Installed at {url}. Runs wait in the work pool {POOL} for a worker. To start one: slipway worker."


def describe_variables(variables: RunVariables) -> Iterator[str]:
    plain, secret = len(variables.plain), len(variables.secret)
    kept = f", and {secret} more from Secret blocks" if secret else ""
    given = f"{plain} environment variables of this shell{kept}"
    yield f"Each run gets {given}. The Prefect UI lists them at the work pool {POOL}."
    if variables.left_out:
        yield f"Temporary credentials are not stored. The worker needs its own: {', '.join(variables.left_out)}."


def read_deployments(checkout: Path) -> list[dict[str, Any]]:
    """The entries of prefect.yaml."""
    return yaml.safe_load((checkout / "prefect.yaml").read_text())["deployments"]


def name_deployment(entry: Mapping[str, Any]) -> str:
    """ENTRYPOINT/NAME."""
    return f"{entry['entrypoint'].rsplit('.', 1)[-1].replace('_', '-')}/{entry['name']}"


def describe_schedules(deployments: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What runs on a schedule: an operator should not learn of it from a failed run."""
    for entry in deployments:
        for schedule in entry.get("schedules", ()):
            when = f"{schedule['slug']} (cron {schedule['cron']}, {schedule['timezone']})"
            yield f"{name_deployment(entry)} also runs on a schedule, {when}. To pause it, use the Prefect UI."
