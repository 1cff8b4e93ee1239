"""Everything that a Prefect server needs to have for our runs; done again, it changes only what differs."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from prefect.client.orchestration import get_client

from clients.prefect_api import PrefectApi, translated
from clients.prefect_deploy import deploy_all
from deployments.automations import install_automation
from deployments.pool import POOL, install_pool
from deployments.variables import RunVariables, choose_variables


def install(checkout: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Work pool, deployments and automation. A sentence about each, as soon as it is there.

    environ: the environment whose variables the runs get.
    """
    url = PrefectApi.connect().url
    variables = choose_variables(environ)
    with translated("installing", url), get_client(sync_client=True) as client:
        yield install_pool(client, variables)
        yield from describe_variables(variables)
        names = deployment_names(checkout)
        deploy_all(checkout)
        yield f"Deployments of {checkout / 'prefect.yaml'}: {', '.join(names)}."
        yield install_automation()
    yield f"Installed at {url}. Runs need a worker for the pool {POOL}: slipway worker"


def describe_variables(variables: RunVariables) -> Iterator[str]:
    plain, secret = len(variables.plain), len(variables.secret)
    kept = f", {secret} more from Secret blocks" if secret else ""
    yield f"Each run gets {plain} variables of this shell{kept}; Prefect's UI lists them at the work pool {POOL}."
    if variables.left_out:
        yield f"Temporary, so the worker has to have its own: {', '.join(variables.left_out)}."


def deployment_names(checkout: Path) -> list[str]:
    """ENTRYPOINT/NAME as prefect.yaml lists them."""
    content = yaml.safe_load((checkout / "prefect.yaml").read_text())
    return [
        f"{entry['entrypoint'].rsplit('.', 1)[-1].replace('_', '-')}/{entry['name']}"
        for entry in content["deployments"]
    ]
