"""The names that earlier versions wrote into the store, and the present ones: the one place that knows both."""

from collections.abc import Mapping
from typing import Any

STEPS = {"Hold": "Lock"}
KEYS = {"hold_epoch": "lock_epoch", "hold_lost": "lock_lost"}
# Names of final states, in the end of a release and in its notices.
STATES = {"RollBackFailed": "RollbackFailed"}
STATE_KEYS = ("outcome", "event")


def rename_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a release was asked for, under the present names."""
    return {KEYS.get(key, key): value for key, value in request.items()}


def rename_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A journal record under the present names; one of the present version stays as it is."""
    detail = rename_request(record.get("detail", {}))
    renamed = {key: STATES.get(detail[key], detail[key]) for key in STATE_KEYS if key in detail}
    return {**record, "step": STEPS.get(record["step"], record["step"]), "detail": detail | renamed}
