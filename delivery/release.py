"""A release: one attempt to bring an environment to an artifact digest. Its request, its journal, and its end."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

DIGEST = r"^sha256:[0-9a-f]{64}$"
ArtifactDigest = Annotated[str, Field(pattern=DIGEST)]


class Release(BaseModel):
    """A release that has a number and the lock on its environment.

    nonce: differs for each release, also for one with the same number in a store that was emptied or moved.
    plan_hash: None for a manual rollback and for a recovery, which have no plan.
    lock_epoch: the epoch in which it acquired the lock.
    recovers: number of the release whose canary a recovery rolls back.
    """

    model_config = ConfigDict(frozen=True)

    environment: str
    number: int
    nonce: str = Field(pattern=r"^[0-9a-z]+$")
    artifact_digest: ArtifactDigest
    plan_hash: str | None
    lock_epoch: int
    recovers: int | None = None

    def token(self, step: str) -> str:
        """The same for each attempt of a step. It starts with a letter, and is valid as a token of CloudFormation:
        at most 128 letters, digits and hyphens.
        """
        return f"release-{self.number}-{self.nonce}-{re.sub(r'[^A-Za-z0-9-]+', '-', step)}"[:128]


class ReleaseRequest(BaseModel):
    """What a release was started for: its `request.json`, and the detail of the STARTED record in its journal.

    Each field has a default, so that a journal without a complete STARTED record can be read.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    artifact_digest: str | None = None
    plan_hash: str | None = None
    """None for a manual rollback and for a recovery, which have no plan."""

    reason: str = ""
    recovers: int | None = None
    """Number of the release whose canary a recovery rolls back. None for any other release."""

    lock_epoch: int | None = None
    flow_run: str | None = None
    """Id of the flow run in Prefect."""

    nonce: str | None = None

    def to_release(self, environment_name: str, number: int) -> Release:
        """The release that this request started. Raises ValidationError if the request is incomplete."""
        return Release.model_validate(self.model_dump() | {"environment": environment_name, "number": number})


class ReleaseEnd(BaseModel):
    """How a release ended: the detail of the ENDED record in its journal."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    outcome: str | None = None
    """Name of the final state of the flow run."""

    message: str = ""
    lock_lost: bool = False
    """Whether the release ended because it lost the lock. It then did not roll back its canary."""

    def detail(self) -> dict[str, Any]:
        """What is stored: `lock_lost` only if it is true."""
        return self.model_dump(exclude=set() if self.lock_lost else {"lock_lost"})


class Event(StrEnum):
    """What a record of the journal says about a step.

    INTENDED precedes an effect; DONE or FAILED follows it. JUDGED has the evidence of a verdict. PROMOTED: the revision
    of the release has all traffic. NOTICE is a notification to send; DELIVERED: a channel accepted it.
    """

    STARTED = "started"
    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    JUDGED = "judged"
    PROMOTED = "promoted"
    NOTICE = "notice"
    DELIVERED = "delivered"
    ENDED = "ended"


class Record(BaseModel):
    """One object of the journal. It is created once and never changed.

    detail: of INTENDED the state before the effect, of DONE what was read back after it.
    """

    model_config = ConfigDict(frozen=True)

    sequence: int
    at: datetime
    step: str
    event: Event
    detail: dict[str, Any] = {}
    writer: str = ""


def request_in(journal: tuple[Record, ...]) -> ReleaseRequest:
    """What the release was started for. All fields have their defaults if the journal has no STARTED record."""
    detail = next((record.detail for record in journal if record.event is Event.STARTED), {})
    return ReleaseRequest.model_validate(detail)


def end_in(journal: tuple[Record, ...]) -> ReleaseEnd | None:
    """How the release ended; None if it did not end."""
    record = end_record_in(journal)
    return ReleaseEnd.model_validate(record.detail) if record else None


def end_record_in(journal: tuple[Record, ...]) -> Record | None:
    """The last ENDED record; None if the release did not end. Records of notifications can follow it."""
    return next((record for record in reversed(journal) if record.event is Event.ENDED), None)


def has_ended(journal: tuple[Record, ...]) -> bool:
    return end_record_in(journal) is not None


def has_effects(journal: tuple[Record, ...]) -> bool:
    """Whether the release may have changed something."""
    return any(record.event is Event.INTENDED for record in journal)


def last_step(journal: tuple[Record, ...]) -> str | None:
    """The last step with an effect; None if the release started no effect."""
    steps = [record.step for record in journal if record.event in (Event.INTENDED, Event.DONE, Event.FAILED)]
    return steps[-1] if steps else None
