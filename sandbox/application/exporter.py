"""Exports metrics to CloudWatch and traces to X-Ray, in its own thread."""

import queue
import resource
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.application.meters import Meters, Timer, add_up
from sandbox.application.settings import ApplicationSettings
from sandbox.application.tracing import Span, segment_document

# Published from the start, so that a count of 0 differs from a missing metric.
KNOWN_COUNTERS = (
    "observability.events.received",
    "observability.events.published",
    "observability.events.processed",
    "observability.events.failed",
    "observability.storage.retries",
)
TRACES_PER_CALL = 25


class Exporter:
    """At each step, publishes the counts since the last step (PutMetricData) and the new traces (PutTraceSegments).

    If a call fails, it is logged and its data is lost. The application continues.
    """

    def __init__(self, settings: ApplicationSettings, meters: Meters) -> None:
        self._settings, self._meters = settings, meters
        self._spans: queue.SimpleQueue[Span] = queue.SimpleQueue()
        self._counters_before: Mapping[str, int] = {}
        self._requests_before = Timer()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)

    def start(self) -> None:
        """Start to publish, if the settings have an AWS endpoint."""
        if self._settings.aws_endpoint:
            self._thread.start()

    def add(self, span: Span) -> None:
        if span.is_sampled():
            self._spans.put(span)

    def close(self) -> None:
        """Publish the remaining data and stop."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        # Imported only here, because it takes as long as the rest of the start, and no request waits for it.
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
        cloudwatch, xray = (boto3.client(service, config=config) for service in ("cloudwatch", "xray"))
        stopping = False
        while not stopping:
            stopping = self._stopping.wait(self._settings.metric_step_seconds)
            self._attempt(self._publish_metrics, cloudwatch)
            self._attempt(self._publish_traces, xray)

    def _attempt(self, publish: Any, client: Any) -> None:
        try:
            publish(client)
        except Exception as error:
            # The application serves its users, also if the telemetry fails.
            print(f"Telemetry was not published and is lost: {error!r}", flush=True)

    def _publish_metrics(self, cloudwatch: Any) -> None:
        namespace = f"GenAI/Demo/{self._settings.environment}"
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=self._metric_data(datetime.now(UTC)))

    def _publish_traces(self, xray: Any) -> None:
        spans = [self._spans.get_nowait() for _ in range(self._spans.qsize())]
        documents = [segment_document(span, self._settings.pod) for span in spans]
        for start in range(0, len(documents), TRACES_PER_CALL):
            xray.put_trace_segments(TraceSegmentDocuments=documents[start : start + TRACES_PER_CALL])

    def _metric_data(self, now: datetime) -> list[dict[str, object]]:
        values = self._counted() + self._timed() + self._measured()
        return [{"MetricName": name, "Value": value, "Unit": unit, "Timestamp": now} for name, value, unit in values]

    def _counted(self) -> list[tuple[str, float, str]]:
        before, counters = self._counters_before, self._meters.counters()
        self._counters_before = counters
        # Micrometer's CloudWatch registry appends the statistic to the name of a meter.
        return [
            (f"{name}.count", counters.get(name, 0) - before.get(name, 0), "Count")
            for name in sorted({*KNOWN_COUNTERS, *counters})
        ]

    def _timed(self) -> list[tuple[str, float, str]]:
        before, total = self._requests_before, add_up(list(self._meters.requests().values()))
        self._requests_before = total
        count, seconds = total.count - before.count, total.total_seconds - before.total_seconds
        return [
            ("http.server.requests.count", count, "Count"),
            ("http.server.requests.sum", seconds * 1000, "Milliseconds"),
            ("http.server.requests.avg", seconds * 1000 / count if count else 0.0, "Milliseconds"),
        ]

    def _measured(self) -> list[tuple[str, float, str]]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return [
            ("process.uptime", self._meters.uptime_seconds(), "Seconds"),
            ("process.cpu.time", usage.ru_utime + usage.ru_stime, "Seconds"),
            ("process.memory.max", usage.ru_maxrss, "Kilobytes"),
            ("process.threads.live", threading.active_count(), "Count"),
        ]
