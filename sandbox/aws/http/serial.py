"""Serves one request at a time. moto has no lock, so without this two conditional writes could both succeed."""

import threading
from collections.abc import Iterable

from sandbox.aws.http.requests import Environ, StartResponse, WsgiApp, buffer_body

# One lock for all services, because the services of moto call each other in the process.
MOTO = threading.RLock()


class Serial:
    """Finishes each request before the next. The bodies are read without the lock."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        buffer_body(environ)
        with MOTO:
            return [b"".join(self._app(environ, start_response))]
