"""The HTTP/1.1 server of the application: one thread per connection. It counts each request with its response."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox.application.behaviour import Interference
from sandbox.application.meters import Meters, Request
from sandbox.application.routes import Answer, Application, problem
from sandbox.application.tracing import Span

API = "/api/"


class ApplicationServer(ThreadingHTTPServer):
    """Serves the application until `shutdown`. `traced` is called with a span for each API request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        pod: str,
        application: Application,
        meters: Meters,
        interfere: Interference,
        traced: Callable[[Span], None],
    ) -> None:
        self.pod, self.application, self.meters = pod, application, meters
        self.interfere, self.traced = interfere, traced
        self._in_flight = 0
        self._changed = threading.Condition()
        super().__init__(address, RequestHandler)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count the request as open until it is answered."""
        self._move(1)
        try:
            yield
        finally:
            self._move(-1)

    def wait_until_answered(self, seconds: float) -> bool:
        """Wait until all open requests are answered. False if that takes longer than `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._in_flight == 0, seconds)

    def _move(self, number: int) -> None:
        with self._changed:
            self._in_flight += number
            self._changed.notify_all()


class RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "application"
    # Headers and body are sent in one packet. Otherwise, the delayed acknowledgement of the client would add 40 ms.
    wbufsize = -1
    timeout = 75
    server: ApplicationServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: requests are counted, not logged."""

    def _serve(self) -> None:
        with self.server.in_flight():
            self._answer()

    def _answer(self) -> None:
        wall, started = time.time(), time.perf_counter()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = "GET" if self.command == "HEAD" else self.command
        path, handler, call = self.server.application.find(method, self.path)
        instead = self.server.interfere() if self.path.startswith(API) else None
        answer = problem(instead, "internal error") if instead else self._call(handler, replace(call, body=body))
        self._send(answer)
        seconds = time.perf_counter() - started
        self.server.meters.record(Request(self.command, path, answer.status), seconds)
        self._trace(path, answer, wall, seconds)

    def _call(self, handler: Callable[..., Answer], call: object) -> Answer:
        try:
            return handler(call)
        except Exception as error:
            # A request that fails for any reason must be answered and counted.
            print(f"{self.command} {self.path} failed: {error!r}", flush=True)
            return problem(500, "internal error")

    def _send(self, answer: Answer) -> None:
        body = answer.encoded()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Served-By", self.server.pod)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _trace(self, path: str, answer: Answer, wall: float, seconds: float) -> None:
        if path.startswith(API):
            host = self.headers.get("Host", "")
            self.server.traced(
                Span(self.headers.get("X-Amzn-Trace-Id", ""), self.command, host, path, answer.status, wall, seconds)
            )
