"""A proxy that causes faults: a lost answer, no answer, a throttled request, or another writer that is faster."""

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

HOP_BY_HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "host", "accept-encoding"}


class LossyServer(ThreadingHTTPServer):
    """A proxy in front of a server. The default is for an API server of Kubernetes.

    write_suffix: only a PATCH or POST to a path with this end counts as a write.
    answers_to_lose: the number of next writes that are carried out and not answered.
    reads_to_drop, reads_to_throttle: the number of next reads that get no answer, or the status 429.
    reads: the path and query of each read. accepted_writes: their number. before_write: called before each write.
    """

    daemon_threads = True

    def __init__(self, upstream: httpx.Client, write_suffix: str = "/status") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.write_suffix = upstream, write_suffix
        self.answers_to_lose = self.reads_to_drop = self.reads_to_throttle = self.accepted_writes = 0
        self.reads: list[str] = []
        self.before_write: Callable[[], None] = lambda: None


class Handler(BaseHTTPRequestHandler):
    @property
    def proxy(self) -> LossyServer:
        assert isinstance(self.server, LossyServer)
        return self.server

    def forward(self) -> None:
        self.proxy.reads += [self.path] if self.command == "GET" else []
        if self.command == "GET" and self.proxy.reads_to_drop:
            self.proxy.reads_to_drop -= 1
            self.close_connection = True
        elif self.command == "GET" and self.proxy.reads_to_throttle:
            self.proxy.reads_to_throttle -= 1
            self.answer(httpx.Response(HTTPStatus.TOO_MANY_REQUESTS))
        elif self.command in ("PATCH", "POST") and self.path.partition("?")[0].endswith(self.proxy.write_suffix):
            self.forward_write()
        else:
            self.answer(self.send_upstream())

    def forward_write(self) -> None:
        self.proxy.before_write()
        answer = self.send_upstream()
        self.proxy.accepted_writes += answer.is_success
        if self.proxy.answers_to_lose:
            self.proxy.answers_to_lose -= 1
            self.close_connection = True
        else:
            self.answer(answer)

    def send_upstream(self) -> httpx.Response:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        return self.proxy.upstream.request(self.command, self.path, content=body, headers=headers)

    def answer(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = forward


@contextmanager
def lossy_kubeconfig(kubeconfig: Path, folder: Path) -> Iterator[tuple[Path, LossyServer]]:
    """A kubeconfig for the same API server, through a proxy that causes faults."""
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
def lossy_prefect(url: str, write_suffix: str = "/set_state") -> Iterator[LossyServer]:
    """Within the block, Prefect's client reaches the same server through a proxy that causes faults."""
    with (
        httpx.Client(base_url=url.removesuffix("/api"), timeout=PATIENCE) as upstream,
        serving(LossyServer(upstream, write_suffix)) as server,
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
