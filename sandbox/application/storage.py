"""The database and the cache of the application."""

import threading
from collections.abc import Mapping
from typing import Any

import psycopg
import valkey
from psycopg.types.json import Jsonb

from sandbox.application.settings import ApplicationSettings

SECONDS_TO_CONNECT = 3
TABLE = """\
CREATE TABLE IF NOT EXISTS analytics_events (
    event_id text PRIMARY KEY,
    event_type text NOT NULL,
    session_id text NOT NULL,
    trace_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    data jsonb NOT NULL
)"""
# Concurrent CREATE TABLE IF NOT EXISTS can fail in PostgreSQL, and all pods of a revision start together.
LOCK = "SELECT pg_advisory_xact_lock(20240801)"
INSERT = """\
INSERT INTO analytics_events VALUES (%s, %s, %s, %s, to_timestamp(%s / 1000.0), %s) ON CONFLICT DO NOTHING"""


def database_parameters(settings: ApplicationSettings) -> dict[str, Any]:
    """The parameters for libpq. With a CA, the connection uses TLS and verifies the name of the server."""
    parameters: dict[str, Any] = {
        "host": settings.database_host,
        "port": settings.database_port,
        "dbname": settings.database_name,
        "user": settings.database_username,
        "password": settings.database_password,
        "connect_timeout": SECONDS_TO_CONNECT,
    }
    if settings.database_ca:
        parameters |= {"sslmode": "verify-full", "sslrootcert": settings.database_ca, "sslnegotiation": "direct"}
    return parameters


class Database:
    """One connection, which is opened at the first use and reopened after it broke."""

    def __init__(self, settings: ApplicationSettings) -> None:
        self._parameters = database_parameters(settings)
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()

    def create_table(self) -> None:
        with self._lock, self._open().transaction():
            self._open().execute(LOCK)
            self._open().execute(TABLE)

    def insert(self, event: Mapping[str, Any]) -> None:
        """Store the event. An event that is already stored changes nothing."""
        row = (event["eventId"], event["eventType"], event["sessionId"], event["traceId"], event["timestamp"])
        with self._lock:
            self._open().execute(INSERT, (*row, Jsonb(event["data"])))

    def ping(self) -> None:
        with self._lock:
            self._open().execute("SELECT 1")

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = psycopg.connect(autocommit=True, **self._parameters)
        return self._connection


def open_cache(settings: ApplicationSettings) -> valkey.Valkey:
    """A client with its own pool, which connects at the first use."""
    tls = {"ssl": True, "ssl_ca_certs": settings.ca_bundle} if settings.cache_tls else {}
    return valkey.Valkey(
        host=settings.cache_host,
        port=settings.cache_port,
        socket_timeout=SECONDS_TO_CONNECT,
        socket_connect_timeout=SECONDS_TO_CONNECT,
        decode_responses=True,
        **tls,
    )
