"""Events on their way out of Kafka, into database and cache."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import valkey
from confluent_kafka import Consumer, Message

from sandbox.application.connection import broker_connection
from sandbox.application.events import STREAMS, event_flaw
from sandbox.application.meters import Meters
from sandbox.application.publisher import Publisher
from sandbox.application.settings import ApplicationSettings

UNREACHABLE = (psycopg.OperationalError, valkey.ConnectionError, valkey.TimeoutError)
SECONDS_TO_RETRY = 1.0


class Stopped(Exception):
    """The application ends; the event stays uncommitted and goes to another pod."""


class EventConsumer:
    """A thread of the group of all pods: each event is stored, then its offset is committed."""

    def __init__(
        self,
        settings: ApplicationSettings,
        meters: Meters,
        publisher: Publisher,
        store: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._topics = [settings.topic(stream) for stream in STREAMS]
        self._meters, self._publisher, self._store = meters, publisher, store
        self._consumer = Consumer(
            {
                **broker_connection(settings),
                "group.id": f"{settings.project}-{settings.environment}-analytics",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6000,
                # Topics that are made later are found within seconds.
                "topic.metadata.refresh.interval.ms": 5000,
            }
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Leave the group, so that the other pods take over at once."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        self._consumer.subscribe(self._topics)
        while not self._stopping.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None:
                self._process(message)
        self._consumer.close()

    def _process(self, message: Message) -> None:
        value = message.value() or b""
        try:
            self._store_when_possible(read_event(value))
        except Stopped:
            return
        except Exception as error:
            # Whatever is wrong with one event, the following ones must not wait for it.
            print(f"event not processed, put into the dead letter queue: {error!r}", flush=True)
            self._meters.count("observability.events.failed")
            self._publisher.publish_dead(str(message.topic()), value)
        else:
            self._meters.count("observability.events.processed")
        self._consumer.commit(message=message, asynchronous=True)

    def _store_when_possible(self, event: Mapping[str, Any]) -> None:
        """Store the event, again and again while database or cache cannot be reached."""
        while True:
            try:
                return self._store(event)
            except UNREACHABLE as error:
                self._meters.count("observability.storage.retries")
                if self._stopping.wait(SECONDS_TO_RETRY):
                    raise Stopped from error


def read_event(value: bytes) -> dict[str, Any]:
    """ValueError where the message is no event."""
    event = json.loads(value)
    if found := event_flaw(event):
        raise ValueError(found)
    return event
