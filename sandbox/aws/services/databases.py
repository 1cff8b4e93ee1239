"""The roles and databases of RDS instances, in the PostgreSQL of the sandbox."""

import time

import psycopg
from psycopg import sql

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.2


class DatabaseUnreachable(Exception):
    """The PostgreSQL of the sandbox did not answer in time."""


def create_database(address: str, user: str, password: str, database: str) -> None:
    """Create the role with the password, and a database that it owns. Safe to repeat. address: HOST:PORT."""
    with _connect(address) as connection:
        role = sql.Identifier(user)
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone()
        verb = sql.SQL("ALTER" if exists else "CREATE")
        connection.execute(
            sql.SQL("{} ROLE {} WITH LOGIN CREATEDB CREATEROLE PASSWORD {}").format(verb, role, sql.Literal(password))
        )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), role))


def drop_database(address: str, user: str, database: str) -> None:
    """Drop the database and its role. Safe to repeat."""
    with _connect(address) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(user)))


def _connect(address: str) -> psycopg.Connection:
    """Connect as superuser when the server accepts connections."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect(
                host=host, port=int(port), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
            )
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise DatabaseUnreachable(
                    f"PostgreSQL at {address} did not answer within {PATIENCE_SECONDS:.0f} s."
                ) from error
            time.sleep(POLL_SECONDS)
