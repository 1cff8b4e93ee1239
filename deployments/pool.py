"""The work pool that runs are submitted to, with the environment variables of each run."""

import copy
from collections.abc import Mapping
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from delivery.errors import SettingsError
from deployments.secrets import save_secrets
from deployments.variables import RunVariables

POOL = "slipway"
POOL_TYPE = "process"
DESCRIPTION = "Releases by Slipway. Written by `slipway install`."


def install_pool(client: SyncPrefectClient, variables: RunVariables) -> str:
    """Create or update the process work pool whose runs get the variables. Returns a sentence about what was done."""
    template = job_template(variables.plain | save_secrets(variables.secret))
    found = read_pool(client)
    if found is None:
        pool = WorkPoolCreate(name=POOL, type=POOL_TYPE, description=DESCRIPTION, base_job_template=template)
        client.create_work_pool(pool)
        return f"Work pool {POOL}: created."
    if found.base_job_template == template:
        return f"Work pool {POOL}: up to date."
    client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))
    return f"Work pool {POOL}: updated."


def read_pool(client: SyncPrefectClient) -> WorkPool | None:
    """Raises SettingsError if a pool of another type has the name; that pool is not changed."""
    try:
        found = client.read_work_pool(POOL)
    except ObjectNotFound:
        return None
    if found.type != POOL_TYPE:
        raise SettingsError(
            f"The work pool {POOL!r} is of type {found.type}, not {POOL_TYPE}. It was not changed. "
            "Delete it if nothing uses it, then run slipway install again."
        )
    return found


def job_template(environment: Mapping[str, str]) -> dict[str, Any]:
    """Prefect's template for processes, with these variables as the default environment."""
    template = copy.deepcopy(ProcessWorker.get_default_base_job_template())
    template["variables"]["properties"]["env"]["default"] = dict(environment)
    return template
