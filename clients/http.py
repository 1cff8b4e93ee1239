"""HTTP requests to the application, as its users make them. `[resolve]` can replace DNS."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from delivery.environment import Environment
from delivery.errors import Rejected, SettingsError, Unavailable

TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class ResolvingTransport(httpx.BaseTransport):
    """Sends requests to another address. The server name, the Host header and the certificate are still the host's."""

    def __init__(self, addresses: Mapping[str, str], trust: ssl.SSLContext) -> None:
        self._addresses = addresses
        self._transport = httpx.HTTPTransport(verify=trust)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        if address := self._addresses.get(f"{url.host}:{port}"):
            host, _, other_port = address.rpartition(":")
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            request.url = url.copy_with(host=host, port=int(other_port))
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


class HttpClient:
    """GET with timeouts. Raises Unavailable if there is no response. A response with an error status is a value."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, url: str) -> httpx.Response:
        with translated(url):
            return self._client.get(url)


@contextmanager
def connect_http(environment: Environment) -> Iterator[HttpClient]:
    """A client that also trusts the certificate authorities of the environment, and uses its `[resolve]`."""
    trust = create_ssl_context(environment.tls.ca_bundle)
    transport = ResolvingTransport(environment.resolve, trust)
    hosts = {address.rpartition(":")[0] for address in environment.resolve}
    mounts = {f"all://{host}": transport for host in hosts}
    with httpx.Client(verify=trust, timeout=TIMEOUT, mounts=mounts) as client:
        yield HttpClient(client)


def create_ssl_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Trusts the certificate authorities of the system and of the file. Raises SettingsError if it cannot be read."""
    trust = ssl.create_default_context()
    if ca_bundle is None:
        return trust
    try:
        trust.load_verify_locations(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"[tls] ca_bundle: {ca_bundle} is not a file with certificates: {error}") from error
    return trust


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Translate httpx's exceptions to a DeliveryError."""
    try:
        yield
    except httpx.InvalidURL as error:
        raise Rejected(f"{url} is not a URL: {error}") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer: {str(error) or type(error).__name__}") from error
