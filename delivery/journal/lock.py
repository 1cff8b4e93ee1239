"""Who holds an environment: rules over what the store shows, so that at most one process changes it."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

# How far the store's clock and the reader's may be apart.
SKEW = timedelta(seconds=10)


class LockHolder(BaseModel):
    """Who took the environment. token: of this one taking; tells a lost answer from somebody else's hold."""

    model_config = ConfigDict(frozen=True)

    who: str
    why: str
    since: datetime
    artifact_digest: str
    lease: timedelta
    token: str


class Stop(BaseModel):
    """A request to stop at the next safe point."""

    model_config = ConfigDict(frozen=True)

    who: str
    why: str


class LockState(BaseModel):
    """The latest hold of an environment, as the store shows it. number: of its release, once it has one."""

    model_config = ConfigDict(frozen=True)

    environment: str
    epoch: int
    holder: LockHolder
    renewed_at: datetime
    is_released: bool = False
    stop: Stop | None = None
    number: int | None = None

    def is_over(self, now: datetime) -> bool:
        """Given back, or run out even if the clocks differ by the skew."""
        return self.is_released or now > self.renewed_at + self.holder.lease + SKEW

    @property
    def release(self) -> str:
        return f"Release {self.number}" if self.number is not None else "A release without a number yet"

    def describe(self) -> str:
        """Who holds or held it, since when, for what."""
        holder = self.holder
        why = f": {holder.why}" if holder.why else ""
        return f"{self.release} of {self.environment}, by {holder.who} since {holder.since:%Y-%m-%d %H:%M:%S} UTC{why}"


def describe_stop(stop: Stop, what_now: str) -> str:
    return f"{stop.who} asked this release to stop: {stop.why.rstrip('.')}. {what_now}"


def describe_found(lock: LockState | None, last_step: str | None) -> str | None:
    """What the next holder has to know of one that never gave the environment back; None where there is nothing."""
    if lock is None or lock.is_released:
        return None
    step = f"its last step was {last_step}" if last_step else "it had changed nothing"
    return f"{lock.describe()}, stopped without giving it back (last sign {lock.renewed_at:%H:%M:%S} UTC); {step}."
