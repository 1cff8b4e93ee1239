"""A connection that fails as networks do: an answer is lost, nobody answers, all is too much, or others are quicker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from sandbox.testing import PATIENCE

HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "host", "accept-encoding"}


class LossyServer(ThreadingHTTPServer):
    """In front of a server, or of an API server unless told.

    written: the end of the paths whose writes are counted. lost: how many answers to such writes are still to be lost.
    away: how many reads are still not answered. throttled: how many are answered that they are too many.
    reads: what was read, by its path and query. carried_out: the writes that the server accepted.
    before_write: is called before each of them.
    """

    daemon_threads = True

    def __init__(self, upstream: httpx.Client, written: str = "/status") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.written = upstream, written
        self.lost = self.away = self.throttled = self.carried_out = 0
        self.reads: list[str] = []
        self.before_write: Callable[[], None] = lambda: None


class Handler(BaseHTTPRequestHandler):
    def forward(self) -> None:
        assert isinstance(self.server, LossyServer)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        self.server.reads += [self.path] if self.command == "GET" else []
        if self.command == "GET" and self.server.away:
            self.server.away -= 1
            self.close_connection = True
            return
        if self.command == "GET" and self.server.throttled:
            self.server.throttled -= 1
            self.answer(httpx.Response(HTTPStatus.TOO_MANY_REQUESTS))
            return
        is_write = self.command in ("PATCH", "POST") and self.path.partition("?")[0].endswith(self.server.written)
        if is_write:
            self.server.before_write()
        answer = self.server.upstream.request(self.command, self.path, content=body, headers=headers)
        self.server.carried_out += is_write and answer.is_success
        if is_write and self.server.lost:
            self.server.lost -= 1
            self.close_connection = True
            return
        self.answer(answer)

    def answer(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        """Not to the test's output."""

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = forward


@contextmanager
def lossy_kubeconfig(kubeconfig: Path, folder: Path) -> Iterator[tuple[Path, LossyServer]]:
    """A kubeconfig that leads to the same API server over a connection that can lose answers."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    with (
        httpx.Client(base_url=cluster["server"], verify=False, timeout=PATIENCE) as upstream,  # noqa: S501
        serving(LossyServer(upstream)) as server,
    ):
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_port}"}
        path = folder / "lossy-kubeconfig"
        path.write_text(yaml.safe_dump(config))
        yield path, server


@contextmanager
def lossy_prefect(url: str, written: str = "/set_state") -> Iterator[LossyServer]:
    """Prefect's client reaches the same server over such a connection within the block."""
    with (
        httpx.Client(base_url=url.removesuffix("/api"), timeout=PATIENCE) as upstream,
        serving(LossyServer(upstream, written)) as server,
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{server.server_port}/api"}),
    ):
        yield server


@contextmanager
def serving(server: LossyServer) -> Iterator[LossyServer]:
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
