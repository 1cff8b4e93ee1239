"""The lock on an environment: rules for what the store shows, so that at most one process changes an environment."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from delivery.release import Release

# Largest expected difference between the clocks of the store and of the reader.
SKEW = timedelta(seconds=10)


class LockHolder(BaseModel):
    """The process that acquired the lock, and what for.

    token: unique for each acquisition, so that a process recognizes its own lock after a request without an answer.
    """

    model_config = ConfigDict(frozen=True)

    who: str
    why: str
    since: datetime
    artifact_digest: str
    lease: timedelta
    token: str


class Stop(BaseModel):
    """A stop request: the release stops before its next effect."""

    model_config = ConfigDict(frozen=True)

    who: str
    why: str


class LockState(BaseModel):
    """The lock of the latest epoch, as the store shows it. number: of its release; None if it has no number yet."""

    model_config = ConfigDict(frozen=True)

    environment: str
    epoch: int
    holder: LockHolder
    renewed_at: datetime
    is_released: bool = False
    stop: Stop | None = None
    number: int | None = None

    @property
    def expires_at(self) -> datetime:
        """When the lock expires without a renewal, also if the clocks differ by the skew."""
        return self.renewed_at + self.holder.lease + SKEW

    def is_over(self, now: datetime) -> bool:
        """Whether the lock was released or has expired."""
        return self.is_released or now > self.expires_at

    def describe(self) -> str:
        """`release 8 (ana@desk, process 7, since 2026-03-01 11:57:00 UTC, reason: spring)`."""
        holder = self.holder
        release = f"release {self.number}" if self.number is not None else "a release without a number yet"
        reason = f", reason: {holder.why}" if holder.why else ""
        return f"{release} ({holder.who}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC{reason})"


def describe_stop(stop: Stop, what_now: str) -> str:
    return f"{stop.who} asked this release to stop: {stop.why.rstrip('.')}. {what_now}"


def describe_halt(release: Release) -> str:
    """That no further step was started, and how to continue."""
    return f"No further step was started. {_describe_restart(release)}"


def _describe_restart(release: Release) -> str:
    if release.plan_hash is not None:
        return "Start the release again: it continues from the current state."
    if release.recovers is not None:
        return f"To start the recovery again: slipway recover {release.environment}."
    return f"To roll back again, choose the revision: slipway rollback {release.environment} --revision N."


def describe_expired(lock: LockState | None, last_step: str | None) -> str | None:
    """What the next release must know about a lock that expired; None if the lock was released."""
    if lock is None or lock.is_released:
        return None
    step = f"The last step of that release was {last_step}" if last_step else "That release had changed nothing"
    expired = f"expired and was not released; it was last renewed at {lock.renewed_at:%H:%M:%S} UTC"
    return f"The lock of {lock.describe()} on {lock.environment} {expired}. {step}."
