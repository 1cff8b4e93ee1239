"""One attempt to bring an environment to an artifact, and what its journal says of it."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

DIGEST = r"^sha256:[0-9a-f]{64}$"
# True in the record of an end after which nobody saw to what the release had begun.
LOCK_LOST = "lock_lost"
ArtifactDigest = Annotated[str, Field(pattern=DIGEST)]


class Release(BaseModel):
    """A release under way: it has a number, and holds its environment under lock_epoch.

    nonce: no other release has it, not even one of the same number in a store that was emptied or moved. plan_hash:
    None for a roll-back by hand, which goes by no plan.
    """

    model_config = ConfigDict(frozen=True)

    environment: str
    number: int
    nonce: str = Field(pattern=r"^[0-9a-z]+$")
    artifact_digest: ArtifactDigest
    plan_hash: str | None
    lock_epoch: int

    def token(self, step: str) -> str:
        """The same at every try of the same step, a letter first, at most 128 of CloudFormation's characters."""
        return f"release-{self.number}-{self.nonce}-{re.sub(r'[^A-Za-z0-9-]+', '-', step)}"[:128]


class Event(StrEnum):
    """What a journal's record tells of a step: intended before an effect, done or failed after it; judged: evidence;
    promoted: all traffic is at the release's revision.
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
    """One object of the journal, created once. detail: before an effect the state then, after it what was read back."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    at: datetime
    step: str
    event: Event
    detail: dict[str, Any] = {}
    writer: str = ""


def request_in(journal: tuple[Record, ...]) -> dict[str, Any]:
    """What the release was asked for; empty where it died before it had said so."""
    return next((record.detail for record in journal if record.event is Event.STARTED), {})


def end_in(journal: tuple[Record, ...]) -> Record | None:
    """How the release ended; None where it did not. Notices may be recorded long after it."""
    return next((record for record in reversed(journal) if record.event is Event.ENDED), None)


def has_ended(journal: tuple[Record, ...]) -> bool:
    return end_in(journal) is not None


def has_effects(journal: tuple[Record, ...]) -> bool:
    """Whether anything of the environment may have been changed."""
    return any(record.event is Event.INTENDED for record in journal)


def last_step(journal: tuple[Record, ...]) -> str | None:
    """The step that was under way, or had just ended, when the journal stops."""
    steps = [record.step for record in journal if record.event in (Event.INTENDED, Event.DONE, Event.FAILED)]
    return steps[-1] if steps else None
