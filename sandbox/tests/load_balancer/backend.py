"""Targets for a load balancer: small servers whose behaviour depends on the path of the request."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(ThreadingHTTPServer):
    """Answers with its name. health: the status of `/health`. `/hang` never answers, `/break` closes the connection."""

    daemon_threads = True

    def __init__(self, host: str, name: str) -> None:
        self.name, self.health = name, 200
        self.never = threading.Event()
        super().__init__((host, 8080), BackendHandler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.never.set()
        self.shutdown()
        self.server_close()


class BackendHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Backend  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        if self.path == "/break":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif self.path == "/hang":
            self.server.never.wait()
        else:
            self._answer(self.server.health if self.path == "/health" else 200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, body)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Served-By", self.server.name)
        for name in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Amzn-Trace-Id", "Host"):
            self.send_header(f"Seen-{name}", str(self.headers.get(name)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
