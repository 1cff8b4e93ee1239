"""One request at a time: moto reads, checks and writes without a lock, and two conditional writes could both win."""

import threading
from collections.abc import Iterable

from sandbox.aws.requests import Environ, StartResponse, WsgiApp, buffer_body

# One lock for all services, because moto's services call each other in the process.
MOTO = threading.RLock()


class Serial:
    """Serves each request whole before the next; the bodies are read outside the lock."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        buffer_body(environ)
        with MOTO:
            return [b"".join(self._app(environ, start_response))]
