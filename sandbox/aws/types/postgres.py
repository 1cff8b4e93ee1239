"""The database behind an RDS instance: the sandbox's PostgreSQL, in which roles and databases are really made."""

import time

import psycopg
from psycopg import sql

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.2


class DatabaseUnreachable(Exception):
    """The sandbox's PostgreSQL did not answer in time."""


def make_database(address: str, user: str, password: str, database: str) -> None:
    """Have a role with that password and a database of its own; safe to repeat. address: HOST:PORT."""
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
    """Be without the database and its role; safe to repeat."""
    with _connect(address) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(user)))


def _connect(address: str) -> psycopg.Connection:
    """A connection of the superuser as soon as the server takes one."""
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
                    f"PostgreSQL at {address} did not answer in {PATIENCE_SECONDS:.0f} s"
                ) from error
            time.sleep(POLL_SECONDS)
