"""Publishes events to Kafka."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from sandbox.application.connection import broker_connection
from sandbox.application.events import STREAM_OF
from sandbox.application.settings import ApplicationSettings

SECONDS_TO_DELIVER = 5


class NotPublished(Exception):
    """The brokers did not accept an event."""


class Publisher:
    """Publishes each event to the topic of its stream, and waits until all in-sync replicas have it."""

    def __init__(self, settings: ApplicationSettings) -> None:
        self._settings = settings
        self._producer = Producer(
            {
                **broker_connection(settings),
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 1,
                "compression.type": "gzip",
                "message.timeout.ms": SECONDS_TO_DELIVER * 1000,
            }
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve_delivery_reports, name="publisher", daemon=True)
        self._thread.start()

    def publish(self, events: Sequence[Mapping[str, Any]]) -> None:
        """NotPublished if one of the events was not accepted. Others of the list may have been published."""
        self._deliver([(self._settings.topic(STREAM_OF[event["eventType"]]), event) for event in events])

    def publish_dead(self, topic: str, value: bytes) -> None:
        """Publish an event that failed to the dead letter queue of its topic."""
        receipt = Receipt(1)
        self._producer.produce(f"{topic}.dlq", value, on_delivery=receipt.record)
        receipt.wait()

    def brokers(self) -> int:
        """The current number of brokers in the cluster. KafkaException if no broker answers."""
        return len(self._producer.list_topics(timeout=SECONDS_TO_DELIVER).brokers)

    def close(self) -> None:
        self._producer.flush(SECONDS_TO_DELIVER)
        self._stopping.set()
        self._thread.join()

    def _deliver(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        receipt = Receipt(len(events))
        try:
            for topic, event in events:
                self._producer.produce(topic, json.dumps(event), key=event["sessionId"], on_delivery=receipt.record)
        except (KafkaException, BufferError) as error:
            raise NotPublished(str(error)) from error
        receipt.wait()

    def _serve_delivery_reports(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(0.1)


class Receipt:
    """Waits for the delivery reports of one request."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._errors: list[str] = []
        self._all_reported = threading.Event()

    def record(self, error: KafkaError | None, _message: Message) -> None:
        self._expected -= 1
        if error is not None:
            self._errors.append(str(error))
        if self._expected == 0:
            self._all_reported.set()

    def wait(self) -> None:
        if not self._all_reported.wait(SECONDS_TO_DELIVER + 1):
            raise NotPublished(f"no delivery report within {SECONDS_TO_DELIVER + 1} s")
        if self._errors:
            raise NotPublished(self._errors[0])
