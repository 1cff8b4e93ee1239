"""What an earlier version installed in Prefect under another name. The next `slipway install` removes it."""

from collections.abc import Iterable, Iterator

from prefect.automations import Automation
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound

from deployments.automations import RECOVER, name_recovery

# Flow of a Prefect deployment: old name -> present name.
FLOWS = {"roll-back": "rollback"}


def remove_retired(client: SyncPrefectClient, deployments: Iterable[str]) -> Iterator[str]:
    """A sentence for each Prefect deployment, with its schedules, and each automation that was removed.

    deployments: FLOW/NAME of all that exist under their present names.
    """
    for deployment in deployments:
        flow, _, name = deployment.partition("/")
        for old in (old for old, new in FLOWS.items() if new == flow):
            yield from _remove_deployment(client, f"{old}/{name}", deployment)
        if flow == RECOVER:
            yield from _remove_automation(f"slipway: recover {name} from a release that died", name_recovery(name))


def _remove_deployment(client: SyncPrefectClient, old: str, new: str) -> Iterator[str]:
    try:
        client.delete_deployment(client.read_deployment_by_name(old).id)
    except ObjectNotFound:
        return
    yield f"Prefect deployment {old}: removed; replaced by {new}."


def _remove_automation(old: str, new: str) -> Iterator[str]:
    try:
        found = Automation.read(name=old)
    except ValueError:
        return
    found.delete()  # pyright: ignore[reportAttributeAccessIssue] - synchronous outside of an event loop
    yield f"Automation {old!r}: removed; replaced by {new!r}."
