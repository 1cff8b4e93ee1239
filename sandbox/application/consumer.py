"""Consumes events from Kafka and stores them in the database and the cache."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import valkey
from confluent_kafka import Consumer, Message

from sandbox.application.connection import broker_connection
from sandbox.application.events import STREAMS, event_error
from sandbox.application.meters import Meters
from sandbox.application.publisher import Publisher
from sandbox.application.settings import ApplicationSettings

UNREACHABLE = (psycopg.OperationalError, valkey.ConnectionError, valkey.TimeoutError)
SECONDS_TO_RETRY = 1.0


class Stopped(Exception):
    """The application stops. The event is not committed, so another pod gets it."""


class EventConsumer:
    """A thread in the consumer group of all pods. It stores each event, then commits its offset."""

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
                # Topics that are created later are found within seconds.
                "topic.metadata.refresh.interval.ms": 5000,
            }
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Leave the group, so that the other pods get its partitions immediately."""
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
            # An event that fails for any reason must not block the next events.
            print(f"The event was not processed and is sent to the dead letter queue: {error!r}", flush=True)
            self._meters.count("observability.events.failed")
            self._publisher.publish_dead(str(message.topic()), value)
        else:
            self._meters.count("observability.events.processed")
        self._consumer.commit(message=message, asynchronous=True)

    def _store_when_possible(self, event: Mapping[str, Any]) -> None:
        """Store the event. Retries while the database or the cache is unreachable."""
        while True:
            try:
                return self._store(event)
            except UNREACHABLE as error:
                self._meters.count("observability.storage.retries")
                if self._stopping.wait(SECONDS_TO_RETRY):
                    raise Stopped from error


def read_event(value: bytes) -> dict[str, Any]:
    """ValueError if the message is not an event."""
    event = json.loads(value)
    if error := event_error(event):
        raise ValueError(error)
    return event
