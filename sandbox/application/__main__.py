"""The process of a pod: `python -m sandbox.application`. Its settings are environment variables."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import valkey

from sandbox.application.behaviour import crash_later, interference
from sandbox.application.consumer import EventConsumer
from sandbox.application.exporter import Exporter
from sandbox.application.health import Health
from sandbox.application.meters import Meters
from sandbox.application.publisher import Publisher
from sandbox.application.routes import Application
from sandbox.application.server import ApplicationServer
from sandbox.application.settings import ApplicationSettings
from sandbox.application.storage import Database, open_cache

# The longest graceful shutdown. The grace period of the pod may be shorter.
SECONDS_TO_FINISH = 10.0


def main() -> None:
    settings = ApplicationSettings.read(os.environ)
    meters, publisher = Meters(), Publisher(settings)
    database, cache = Database(settings), open_cache(settings)
    consumer = EventConsumer(settings, meters, publisher, store_in(database, cache))
    exporter = Exporter(settings, meters)
    health = Health({"kafka": publisher.brokers, "db": database.ping, "redis": cache.ping})
    server = make_server(settings, Application(meters, health, publisher, cache), meters, exporter)
    health.start(database.create_table)
    consumer.start()
    exporter.start()
    if settings.behaviour == "crash-loop":
        crash_later()
    serve_until_sigterm(server, health)
    consumer.close()
    publisher.close()
    exporter.close()
    sys.exit(0)


def store_in(database: Database, cache: valkey.Valkey) -> Callable[[Mapping[str, Any]], None]:
    """A function that stores an event: a row in the database, and a count by event type in the cache."""

    def store(event: Mapping[str, Any]) -> None:
        database.insert(event)
        cache.incr(f"events:{event['eventType']}")

    return store


def make_server(
    settings: ApplicationSettings, application: Application, meters: Meters, exporter: Exporter
) -> ApplicationServer:
    address = (settings.host, settings.port)
    return ApplicationServer(address, settings.pod, application, meters, interference(settings.behaviour), exporter.add)


def serve_until_sigterm(server: ApplicationServer, health: Health) -> None:
    """Serve requests until SIGTERM. Then report not ready, finish the open requests, and return."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    print("ready", flush=True)
    stop.wait()
    health.stop_accepting()
    server.shutdown()
    server.server_close()
    server.wait_until_answered(SECONDS_TO_FINISH)


if __name__ == "__main__":
    main()
