"""PostgreSQL and Valkey, through nginx."""

from typing import Any

import psycopg
import pytest
import valkey

from sandbox.instance import Sandbox


def connect(sandbox: Sandbox, address: str, **parameters: Any) -> psycopg.Connection[Any]:
    trust = {"sslmode": "verify-full", "sslrootcert": str(sandbox.state / "ca" / "ca.pem"), "sslnegotiation": "direct"}
    port = int(address.split(":")[1])
    return psycopg.connect(host="localhost", port=port, dbname="postgres", autocommit=True, **{**trust, **parameters})


def test_postgresql_accepts_verified_tls(sandbox: Sandbox) -> None:
    sandbox.require("postgres", "nginx")
    with connect(sandbox, sandbox.addresses.postgres_tls, user="postgres") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_postgresql_rejects_a_wrong_password(sandbox: Sandbox) -> None:
    sandbox.require("postgres", "nginx")
    with connect(sandbox, sandbox.addresses.postgres_tls, user="postgres") as connection:
        connection.execute("CREATE ROLE stores_test LOGIN PASSWORD 'right'")
    connect(sandbox, sandbox.addresses.postgres_tls, user="stores_test", password="right").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(sandbox, sandbox.addresses.postgres_tls, user="stores_test", password="wrong")


def test_the_tls_port_rejects_a_connection_without_tls(sandbox: Sandbox) -> None:
    sandbox.require("postgres", "nginx")
    with pytest.raises(psycopg.OperationalError):
        connect(sandbox, sandbox.addresses.postgres_tls, user="postgres", sslmode="disable", sslnegotiation="postgres")


def test_valkey_accepts_verified_tls(sandbox: Sandbox) -> None:
    sandbox.require("valkey", "nginx")
    port = int(sandbox.addresses.valkey_tls.split(":")[1])
    trust = str(sandbox.state / "ca" / "ca.pem")
    with valkey.Valkey(host="localhost", port=port, ssl=True, ssl_ca_certs=trust) as client:
        client.set("stores-test", "kept")
        assert client.get("stores-test") == b"kept"
