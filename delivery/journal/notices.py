"""Notices: an outbox in the journal. What has to be told is recorded; so is each channel that took it."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from delivery.release import Event, Record


class Notice(BaseModel):
    """Something to tell. id: the same however often it is sent, so that a channel can tell a repetition."""

    model_config = ConfigDict(frozen=True)

    id: str
    environment: str
    release: int
    event: str
    text: str


def read_notices(environment: str, number: int, journal: Iterable[Record]) -> tuple[Notice, ...]:
    """The notices of a release, in the order they were recorded."""
    return tuple(
        Notice(
            id=f"{environment}-{number}-{record.sequence}",
            environment=environment,
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


def undelivered(
    environment: str, number: int, journal: tuple[Record, ...], channels: Iterable[str]
) -> tuple[tuple[Notice, str], ...]:
    """What is still to be sent: each notice with each channel that did not take it yet, oldest first."""
    taken = {(record.detail["id"], record.detail["channel"]) for record in journal if record.event is Event.DELIVERED}
    notices = read_notices(environment, number, journal)
    pairs = ((notice, channel) for notice in notices for channel in channels)
    return tuple((notice, channel) for notice, channel in pairs if (notice.id, channel) not in taken)
