"""Notifications: an outbox in the journal. It has each notification, and each channel that accepted it."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from delivery.release import Event, Record


class Notice(BaseModel):
    """A notification. Its id is the same each time it is sent, so that a channel can detect a repetition."""

    model_config = ConfigDict(frozen=True)

    id: str
    environment: str
    release: int
    event: str
    text: str


class AcceptedNotice(BaseModel):
    """The detail of a DELIVERED record: this channel accepted the notification with this id."""

    model_config = ConfigDict(frozen=True)

    id: str
    channel: str


def read_notices(environment_name: str, number: int, journal: Iterable[Record]) -> tuple[Notice, ...]:
    """The notifications of a release, in the order in which they were recorded."""
    return tuple(
        Notice(
            id=f"{environment_name}-{number}-{record.sequence}",
            environment=environment_name,
            release=number,
            event=record.detail["event"],
            text=record.detail["text"],
        )
        for record in journal
        if record.event is Event.NOTICE
    )


def has_notice(journal: Iterable[Record], event: str, text: str) -> bool:
    wanted = {"event": event, "text": text}
    return any(record.event is Event.NOTICE and record.detail == wanted for record in journal)


def select_undelivered(
    environment_name: str, number: int, journal: tuple[Record, ...], channels: Iterable[str]
) -> tuple[tuple[Notice, str], ...]:
    """Each notification with each channel that has not accepted it, oldest first."""
    deliveries = (AcceptedNotice.model_validate(record.detail) for record in journal if record.event is Event.DELIVERED)
    accepted = {(delivery.id, delivery.channel) for delivery in deliveries}
    notices = read_notices(environment_name, number, journal)
    pairs = ((notice, channel) for notice in notices for channel in channels)
    return tuple((notice, channel) for notice, channel in pairs if (notice.id, channel) not in accepted)
