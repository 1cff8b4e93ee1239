"""The state of the Rollout in a journal: which revision is stable, and which one is in its template."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class RolloutState(BaseModel):
    """A Rollout before an effect on it. The record of the effect can have more fields.

    A record without `exists` is of a Rollout that exists: a rollback deletes a Rollout that did not exist before.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    exists: bool = True
    stable_hash: str = ""
    """Pod-template hash of the stable revision; empty if there was none."""

    current_hash: str = ""
    """Pod-template hash of the template; differs from `stable_hash` during a canary."""

    @field_validator("stable_hash", "current_hash", mode="before")
    @classmethod
    def empty_if_null(cls, stored: Any) -> Any:
        return "" if stored is None else stored
