import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clients.http import connect_http
from delivery.environment import Environment
from delivery.errors import SettingsError, Unavailable
from tests.environments import production

HOST = "api.genai-demo.com"


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers["Host"].encode()
        self.send_response(200 if self.path == "/" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no access log."""


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for HOST, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    certificate_file, key_file = folder / "ca.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    format_, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, format_, encryption))
    return certificate_file, key_file


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server with HOST's certificate, and the file with its certificate authority."""
    certificate, key = write_certificate(tmp_path_factory.mktemp("ca"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_port, certificate
    server.shutdown()
    server.server_close()


def with_site(store: Path, port: int, ca_bundle: Path | None) -> Environment:
    environment = production(store)
    tls = environment.tls.model_copy(update={"ca_bundle": str(ca_bundle) if ca_bundle else None})
    return environment.model_copy(update={"resolve": {f"{HOST}:443": f"127.0.0.1:{port}"}, "tls": tls})


def test_a_request_to_a_resolved_address_uses_the_name_and_the_certificate_of_the_host(
    tmp_path: Path, site: tuple[int, Path]
) -> None:
    with connect_http(with_site(tmp_path, *site)) as http:
        response = http.get(f"https://{HOST}/")
    assert (response.status_code, response.text) == (200, HOST)


def test_a_response_with_an_error_status_is_a_value(tmp_path: Path, site: tuple[int, Path]) -> None:
    with connect_http(with_site(tmp_path, *site)) as http:
        assert http.get(f"https://{HOST}/broken").status_code == 503


def test_a_certificate_of_an_untrusted_authority_is_refused(tmp_path: Path, site: tuple[int, Path]) -> None:
    with (
        connect_http(with_site(tmp_path, site[0], None)) as http,
        pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        http.get(f"https://{HOST}/")


def test_an_address_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with (
        connect_http(with_site(tmp_path, 1, None)) as http,
        pytest.raises(Unavailable, match=f"https://{HOST}/ does not answer"),
    ):
        http.get(f"https://{HOST}/")


def test_a_missing_ca_bundle_is_a_settings_error(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match=r"\[tls\] ca_bundle"),
        connect_http(with_site(tmp_path, 1, tmp_path / "no")),
    ):
        pass
