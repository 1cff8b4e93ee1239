"""Names that earlier versions stored, and the present names. Only this file has both."""

from collections.abc import Mapping
from typing import Any

STEPS = {"Hold": "Lock"}
KEYS = {"hold_epoch": "lock_epoch", "hold_lost": "lock_lost", "consent": "approval"}
# Names of final states, in the end of a release and in its notifications.
STATES = {"RollBackFailed": "RollbackFailed"}
STATE_KEYS = ("outcome", "event")


def rename_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """A stored request with the present keys."""
    return {KEYS.get(key, key): value for key, value in request.items()}


def rename_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A stored journal record with the present names. A record of the present version does not change."""
    detail = rename_request(record.get("detail", {}))
    renamed = {key: STATES.get(detail[key], detail[key]) for key in STATE_KEYS if key in detail}
    return {**record, "step": STEPS.get(record["step"], record["step"]), "detail": detail | renamed}
