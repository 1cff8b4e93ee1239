import socket
import ssl
import threading
from pathlib import Path

import pytest

from sandbox.certificates import write_certificates


def shake_hands(folder: Path, server_name: str) -> str | None:
    """The TLS version of a connection whose client trusts only the CA. Raises if it does not trust the server."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(server, theirs))
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=server_name) as connection:
            return connection.version()
    finally:
        ours.close()
        thread.join()


def serve(context: ssl.SSLContext, connection: socket.socket) -> None:
    try:
        context.wrap_socket(connection, server_side=True).close()
    except (ssl.SSLError, OSError):
        connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("certificates")
    write_certificates(state)
    return state / "ca"


@pytest.mark.parametrize(
    "name", ["api.genai-demo.com", "www.genai-demo.com", "genai-demo.com", "localhost", "127.0.0.1"]
)
def test_a_client_that_knows_the_ca_trusts_every_name_of_the_sandbox(folder: Path, name: str) -> None:
    assert shake_hands(folder, name) == "TLSv1.3"


def test_another_name_is_not_trusted(folder: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(folder, "example.com")


def test_only_the_owner_can_read_the_key(folder: Path) -> None:
    assert (folder / "server.key").stat().st_mode & 0o077 == 0
